"""Addresses of files: made for a channel's own origin, good for a day, and for that one file alone."""

from __future__ import annotations

import base64
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.connector import Binding
from connectors.contract.fetched import unfetchable
from services.channels.secrets import Vault
from services.errors import NotFoundError
from services.files.addresses import LIFE_MS, PATH, ROUND_MS, Addresses, Claim, claimed, public_origin, signed
from services.files.types import UNKNOWN
from services.replies.outbox import Outbox
from services.replies.replies import Ask, AskedFile, ObjectedError, Replies
from storage.channel_records import ReplyFile
from storage.files import FolderFiles
from tests.services_layer.album import picture
from tests.services_layer.desk import AGENT
from tests.services_layer.postal import ACCOUNT, KEY, Postal

HOOK = "https://weir.example:8443/webhooks/postal/office-1?key=word"
ONE, TWO = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
CLAIM = Claim(digest="ab" * 32, mime="image/png", until=1_800_000_000_000)


class Fetching(Postal):
    """Takes files by their address alone."""

    def __init__(self, binding):
        super().__init__(Binding(account=binding.account, url=HOOK))
        self.urls = []

    def objections(self, message, now):
        return [*super().objections(message, now), *unfetchable(message)]

    async def send(self, message, api):
        self.urls += [file.url for file in message.files]
        return await super().send(message, api)


@pytest.fixture
def files(data_dir):
    return FolderFiles(data_dir / "files")


@pytest.fixture
async def kept(files):
    """A picture that is kept, as a file of a reply."""
    content = picture()
    digest = sha256(content).hexdigest()

    async def pieces():
        yield content

    await files.put_file(digest, pieces())
    return ReplyFile(digest=digest, name="a.png", mime="image/png", size=len(content))


def token_of(url):
    return urlsplit(url).path.removeprefix(PATH)


async def refused(addresses, token):
    with pytest.raises(NotFoundError) as told:
        await addresses.find(token)
    return str(told.value)


async def test_an_address_leads_to_its_file_in_every_process_of_the_same_key(files, kept, clock):
    url = await Addresses(Vault(present=ONE), files, clock).address(HOOK, kept)
    assert url.startswith("https://weir.example:8443/files/")
    other = Addresses(Vault(present=ONE), files, clock)
    found = await other.find(token_of(url))
    assert (found.digest, found.mime, found.size, found.inline) == (kept.digest, "image/png", kept.size, True)
    assert b"".join([piece async for piece in other.read(found)]) == picture()


async def test_an_address_ends_after_a_day_and_is_the_same_within_an_hour(files, kept, clock):
    addresses = Addresses(Vault(present=ONE), files, clock)
    clock.ms += 1 - clock.ms % ROUND_MS
    url = await addresses.address(HOOK, kept)
    clock.ms += ROUND_MS - 1
    assert await addresses.address(HOOK, kept) == url
    clock.ms += 1
    assert await addresses.address(HOOK, kept) != url
    clock.ms += LIFE_MS - 2
    assert (await addresses.find(token_of(url))).left_ms == 1
    clock.ms += 1
    assert await refused(addresses, token_of(url)) == "there is no such file"


async def test_a_key_that_was_replaced_still_opens_what_it_signed(files, kept, clock, data_dir):
    vault = Vault(file=data_dir / "secrets.key")
    vault.seal({}, platform="postal", account=ACCOUNT)
    here = Addresses(vault, files, clock)
    there = Addresses(Vault(file=data_dir / "secrets.key"), files, clock)
    before = token_of(await here.address(HOOK, kept))
    vault.renew()
    after = token_of(await here.address(HOOK, kept))
    assert before != after
    for token in (before, after):
        assert (await there.find(token)).digest == kept.digest
    given_by_setting = Addresses(Vault(present=TWO, older=ONE), files, clock)
    old = token_of(await Addresses(Vault(present=ONE), files, clock).address(HOOK, kept))
    assert (await given_by_setting.find(old)).digest == kept.digest
    await refused(Addresses(Vault(present=TWO), files, clock), old)


async def test_what_is_wrong_with_an_address_is_not_told(files, kept, clock):
    addresses = Addresses(Vault(present=ONE), files, clock)
    token = token_of(await addresses.address(HOOK, kept))
    lost = ReplyFile(digest="cd" * 32, name="b.png", mime="image/png", size=1)
    gone = token_of(await addresses.address(HOOK, lost))
    strange = Addresses(Vault(present=TWO), files, clock)
    forged = token_of(await strange.address(HOOK, kept))
    wrong = [
        gone,
        forged,
        "",
        "é",
        token + "=",
        f"{token}A",
        token[:-1],
        token * 9,
        kept.digest,
        "A" * 90,
        f"{token}\n",
    ]
    assert {await refused(addresses, one) for one in wrong} == {"there is no such file"}


async def test_without_a_key_no_address_is_made_and_none_is_known(files, kept, clock, data_dir):
    addresses = Addresses(Vault(file=data_dir / "secrets.key"), files, clock)
    assert await addresses.address(HOOK, kept) is None
    await refused(addresses, "A" * 120)
    assert not (data_dir / "secrets.key").exists()


async def test_what_a_browser_could_run_is_signed_as_bytes(files, kept, clock):
    addresses = Addresses(Vault(present=ONE), files, clock)
    for mime in ("text/html", "image/svg+xml", 'a"b/\r\nc', "image/é"):
        told = ReplyFile(digest=kept.digest, name="x", mime=mime, size=kept.size)
        found = await addresses.find(token_of(await addresses.address(HOOK, told)))
        assert (found.mime, found.inline) == (UNKNOWN, False)
        assert found.name.endswith(".bin")


@given(st.integers(0, 69), st.integers(0, 7))
def test_a_token_in_which_one_bit_is_changed_is_nobodys(place, bit):
    token = signed(b"k" * 32, CLAIM)
    assert claimed([b"o" * 32, b"k" * 32], token) == CLAIM
    data = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    data[place] ^= 1 << bit
    changed = base64.urlsafe_b64encode(bytes(data)).rstrip(b"=").decode()
    assert claimed([b"k" * 32], changed) is None


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_a_token(text):
    assert claimed([b"k" * 32], text) is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (HOOK, "https://weir.example:8443"),
        ("https://Weir.Example/x", "https://weir.example"),
        ("https://user:word@weir.example/x", "https://weir.example"),
        ("https://[2001:db8::1]:444/x", "https://[2001:db8::1]:444"),
        ("http://127.0.0.1:8080/webhooks/line/x", "http://127.0.0.1:8080"),
        ("http://localhost/x", "http://localhost"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("http://weir.example/x", None),
        ("http://10.0.0.1/x", None),
        ("http://127.0.0.1.example/x", None),
        ("ftp://127.0.0.1/x", None),
        ("https://weir.example:word/x", None),
        ("https:///x", None),
        ("imap.example", None),
        ("", None),
    ],
)
def test_an_address_is_of_the_channels_own_origin_by_https_or_on_this_machine(url, origin):
    assert public_origin(url) == origin


async def test_a_platform_that_fetches_files_gets_the_address_with_the_reply(desk, files, kept):
    addresses = Addresses(Vault(present=ONE), files, desk.clock)
    desk.office.bind(Fetching)
    asked = Ask(text="look", files=(AskedFile(digest=kept.digest, name="a.png", mime="image/png"),))
    find, office = desk.office.find, desk.office
    without = Replies(desk.store, desk.gateway, find, files=files, now=desk.clock)
    with pytest.raises(ObjectedError, match="file_without_address"):
        await without.ask(AGENT, KEY, asked, "k")
    replies = Replies(desk.store, desk.gateway, find, files=files, now=desk.clock, address=addresses.address)
    row = await replies.ask(AGENT, KEY, asked, "k")
    outbox = Outbox(
        desk.store, desk.gateway, find, office.api, who="one", files=files, address=addresses.address, now=desk.clock
    )
    await outbox.step()
    assert (await desk.row(row)).state == "sent"
    [url] = office.connector.urls
    assert (await addresses.find(token_of(url))).digest == kept.digest
