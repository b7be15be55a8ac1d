"""Files that platforms fetch: open to whoever has the address, harmless to whoever opens them, nothing without one."""

from __future__ import annotations

import base64
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from services.channels.secrets import Vault
from services.files.addresses import Addresses
from storage.channel_records import ReplyFile
from storage.errors import StoreBusyError
from storage.files import FolderFiles
from tests.services_layer.album import PAGE, PDF, picture

HOOK = "https://weir.example/webhooks/line/x"
VAULT = Vault(present=base64.b64encode(b"7" * 32).decode())


@pytest.fixture
def files(data_dir):
    return FolderFiles(data_dir / "files")


@pytest.fixture
def placed(services, files, gateway):
    """Keeps a file; the path of its address."""
    services.addresses = Addresses(VAULT, files, gateway.now)

    async def place(content, mime):
        digest = sha256(content).hexdigest()

        async def pieces():
            yield content

        await files.put_file(digest, pieces())
        file = ReplyFile(digest=digest, name="x", mime=mime, size=len(content))
        return urlsplit(await services.addresses.address(HOOK, file)).path

    return place


async def test_a_platform_fetches_a_picture_without_logging_in(stranger, placed):
    answer = await stranger.get(await placed(picture(), "image/png"))
    assert (answer.status_code, answer.content) == (200, picture())
    told = answer.headers
    assert (told["content-type"], told["content-length"]) == ("image/png", str(len(picture())))
    assert told["content-disposition"].startswith('inline; filename="image-')
    assert told["cache-control"].startswith("private, max-age=")
    assert 86_400 - 60 <= int(told["cache-control"].rpartition("=")[2]) <= 90_000
    assert told["x-content-type-options"] == "nosniff"
    assert told["content-security-policy"] == "default-src 'none'; sandbox"
    assert told["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in told


async def test_a_platform_asks_for_the_headers_alone(stranger, placed):
    path = await placed(picture(), "image/png")
    head, whole = await stranger.head(path), await stranger.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "content-disposition", "content-security-policy"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("content", "mime", "told"),
    [
        (PDF, "application/pdf", "application/pdf"),
        (b"words", "text/plain", "text/plain; charset=utf-8"),
        (PAGE, "text/html", "application/octet-stream"),
        (b"<svg/>", "image/svg+xml", "application/octet-stream"),
    ],
)
async def test_what_is_no_picture_sound_or_film_is_sent_to_be_saved(stranger, placed, content, mime, told):
    answer = await stranger.get(await placed(content, mime))
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, told)
    assert answer.headers["content-disposition"].startswith("attachment; ")


async def test_whatever_is_wrong_with_an_address_the_answer_is_the_same(stranger, placed, files, services, gateway):
    path = await placed(picture(), "image/png")
    digest = sha256(picture()).hexdigest()
    now = gateway.now()
    late = Addresses(VAULT, files, lambda: now - 2 * 86_400_000)
    file = ReplyFile(digest=digest, name="x", mime="image/png", size=1)
    over = urlsplit(await late.address(HOOK, file)).path
    wrong = [over, f"{path}A", path[:-1], f"{path}/x", "/files/", f"/files/{digest}", "/files/..%2f..%2fsecrets.key"]
    answers = [await stranger.get(one) for one in wrong]
    assert {(one.status_code, one.json()["detail"]) for one in answers} == {(404, "there is no such file")}
    await files.delete_file(digest)
    gone = await stranger.get(path)
    assert (gone.status_code, gone.json()["detail"]) == (404, "there is no such file")
    assert services.addresses is not late


async def test_a_token_of_somebody_else_does_not_keep_a_platform_out(stranger, placed):
    path = await placed(picture(), "image/png")
    answer = await stranger.get(path, headers={"Authorization": "Bearer of-the-platform"})
    assert answer.status_code == 200


async def test_nothing_can_be_put_there(stranger, placed):
    path = await placed(picture(), "image/png")
    assert (await stranger.post(path, content=b"x")).status_code == 405


async def test_a_store_that_is_busy_is_no_reason_to_give_a_file_up(stranger, placed, files, monkeypatch):
    path = await placed(picture(), "image/png")

    async def busy(digest):
        raise StoreBusyError(f"busy: {digest}")

    monkeypatch.setattr(files, "file_size", busy)
    assert (await stranger.get(path)).status_code == 503
