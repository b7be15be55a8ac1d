"""Files that come with messages: fetched, checked, kept; each one's fate is told, and what did not come is cured."""

from __future__ import annotations

import hashlib

import pytest

from actors.events import Attachment
from connectors.contract.calling import DeniedError, UncertainError
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.files.attachments import AT_ONCE
from services.files.serving import shown
from services.people.permissions import Caller
from tests.services_layer.album import (
    DRAWING,
    FILM,
    HEIC,
    OGG,
    PAGE,
    PDF,
    announced,
    bomb,
    noise,
    picture,
)
from tests.services_layer.bazaar import MINUTE
from tests.services_layer.darkroom import KEY, MOST, darkroom

AGENT = Caller(name="mei", role="agent", via="session")
VIEWER = Caller(name="ivy", role="viewer", via="session")


@pytest.fixture
async def room(data_dir):
    async with darkroom(data_dir) as opened:
        yield opened


async def test_a_picture_is_kept_with_a_small_one_and_told_as_it_is(room):
    content = picture("JPEG", (900, 600))
    file = await room.gets("a.jpg", content, mime="image/png")
    digest = hashlib.sha256(content).hexdigest()
    assert file["status"] == "ok"
    detail = file["detail"]
    assert {name: detail[name] for name in ("mime", "size", "width", "height", "digest")} == {
        "mime": "image/jpeg",
        "size": len(content),
        "width": 900,
        "height": 600,
        "digest": digest,
    }
    assert b"".join([piece async for piece in room.files.file(digest)]) == content
    small = b"".join([piece async for piece in room.files.file(detail["thumb"])])
    assert small[8:12] == b"WEBP"
    assert await room.troubles() == {}


@pytest.mark.parametrize(
    ("content", "status", "reason", "cure"),
    [
        (b"", "corrupt", "empty", "ask_customer"),
        (HEIC, "unsupported", "undecodable", "convert"),
        (403, "expired", "expired_url", "ask_customer"),
        (401, "expired", "expired_url", "ask_customer"),
        (404, "expired", "expired_url", "ask_customer"),
        (410, "expired", "expired_url", "ask_customer"),
        (418, "failed", "refused", "re_fetch"),
        (b"x" * (MOST + 1), "too_large", "too_large", "ask_customer"),
        (picture(size=(300, 300))[:-40], "corrupt", "truncated", "re_fetch"),
        (noise("JPEG", (100, 100))[:2_000], "corrupt", "truncated", "re_fetch"),
        (b"\x89PNG\r\n\x1a\n" + b"nonsense" * 40, "corrupt", "undecodable", "re_fetch"),
        (bomb(), "unsupported", "too_many_pixels", "ask_customer"),
        (PAGE, "corrupt", "not_the_file", "re_fetch"),
        (bytes(range(256)), "corrupt", "undecodable", "ask_customer"),
    ],
)
async def test_a_file_that_cannot_be_used_says_why_and_what_to_do(room, content, status, reason, cure):
    file = await room.gets("a.jpg", content, mime="image/jpeg")
    assert (file["status"], file["detail"]["reason"], file["detail"]["cure"]) == (status, reason, cure)
    assert await room.troubles() == {"a.jpg": "open"}
    assert (await room.row()).text == "see the pictures"


@pytest.mark.parametrize(
    ("content", "kind", "mime"),
    [(PDF, "file", "application/pdf"), (FILM, "video", "video/mp4"), (OGG, "audio", "audio/ogg"),
     (DRAWING, "image", "image/svg+xml"), (PAGE, "file", "text/html"), (b"hello", "file", "text/plain")],
)  # fmt: skip
async def test_other_files_are_kept_as_what_their_content_is(room, content, kind, mime):
    file = await room.gets("a.bin", content, kind=kind)
    assert (file["status"], file["detail"]["mime"]) == ("ok", mime)
    assert "thumb" not in file["detail"]


async def test_a_file_with_another_hash_or_too_short_is_corrupt(room):
    whole = picture()
    other = await room.gets("a.png", whole, sha256="0" * 64)
    assert (other["status"], other["detail"]["reason"]) == ("corrupt", "hash_differs")
    await room.hears(announced(room.url, "b.pdf", kind="file", size=len(PDF) + 1), number=2)
    room.shelf.files["/b.pdf"] = PDF
    await room.tries()
    short = await room.file("b.pdf", "m2")
    assert (short["status"], short["detail"]["reason"]) == ("corrupt", "size_differs")


async def test_a_hash_that_fits_is_fine(room):
    whole = picture()
    digest = hashlib.sha256(whole).hexdigest()
    assert (await room.gets("a.png", whole, sha256=digest.upper()))["status"] == "ok"


async def test_a_file_announced_too_large_is_not_even_asked_for(room):
    file = await room.gets("a.png", picture(), size=MOST + 1)
    assert file["status"] == "too_large"
    assert room.shelf.asked == []


async def test_files_of_a_private_network_are_not_fetched(room):
    room.channel.binding.settings["api_url"] = "http://another.test"
    file = await room.gets("a.png", picture())
    assert (file["status"], file["detail"]["reason"]) == ("failed", "private_address")
    assert room.shelf.asked == []


async def test_a_file_that_comes_damaged_once_is_fetched_again_before_anybody_is_told(room):
    whole = picture()
    room.shelf.files["/a.png"] = b""
    await room.hears(announced(room.url, "a.png"))
    await room.work.step(room.town.now)
    assert room.told() == []
    room.shelf.files["/a.png"] = whole
    await room.tries()
    assert [one.status for one in room.told()] == ["ok"]


@pytest.mark.parametrize("trouble", [500, 503, "broken off"])
async def test_what_cannot_be_had_now_is_told_after_the_grace_and_tried_on(room, trouble):
    room.shelf.files["/a.png"] = trouble
    await room.hears(announced(room.url, "a.png"))
    await room.tries(minutes=0.75)
    assert room.told() == []
    await room.tries(minutes=2)
    assert [(one.status, one.detail["reason"]) for one in room.told()] == [("failed", "unreachable")]
    assert await room.troubles() == {"a.png": "open"}
    room.shelf.files["/a.png"] = picture()
    await room.tries(minutes=12)
    assert [one.status for one in room.told()] == ["failed", "ok"]
    assert await room.troubles() == {"a.png": "resolved"}


async def test_after_an_hour_it_is_given_up_and_can_be_looked_at(room):
    room.shelf.files["/a.png"] = 500
    await room.hears(announced(room.url, "a.png"))
    await room.tries(minutes=90)
    [job] = await room.town.store.jobs("attachment", 10, failed=True)
    assert "500" in job.reason
    room.shelf.files["/a.png"] = picture()
    await room.work.refetch(AGENT, KEY, "m1", "a.png")
    await room.tries()
    assert (await room.file("a.png"))["status"] == "ok"
    assert await room.troubles() == {"a.png": "resolved"}


async def test_a_platform_that_accepts_the_channel_no_more_is_not_the_files_fault(room):
    whole = picture()
    room.shelf.files["/a.png"] = whole
    outcomes = [DeniedError("the token ran out"), UncertainError("no answer"), RuntimeError("a fault"), None]
    ask = room.channel.locate

    async def locate(attachment, api):
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome
        return await ask(attachment, api)

    room.channel.locate = locate
    await room.hears(announced(room.url, "a.png"))
    await room.tries(minutes=1)
    assert [one.status for one in room.told()] == ["ok"]


async def test_content_that_no_request_gives_is_asked_for_first(room):
    async def content(attachment, api):
        assert api.now() == room.town.now
        return PDF if attachment.id == "p1" else None

    room.channel.content = content
    await room.hears(Attachment(id="p1", kind="file"), Attachment(id="p2", kind="file"))
    await room.tries()
    assert [(await room.file(name))["status"] for name in ("p1", "p2")] == ["ok", "unsupported"]


async def test_a_file_without_any_way_to_it_is_left_to_whoever_told_of_it(room):
    await room.hears(Attachment(id="p1"))
    await room.tries(minutes=2)
    assert room.told() == []
    assert await room.troubles() == {"p1": "open"}


async def test_a_message_that_is_told_again_fetches_nothing_again(room):
    await room.gets("a.png", picture())
    room.shelf.files["/a.png"] = 403
    await room.hears(announced(room.url, "a.png"))
    await room.tries()
    assert room.shelf.asked == ["/a.png"]
    assert [one.status for one in room.told()] == ["ok"]
    assert room.heard == ["ok", "known"]


async def test_every_one_of_many_files_is_fetched(room):
    names = [f"f{n}.pdf" for n in range(3 * AT_ONCE)]
    room.shelf.files |= {f"/{name}": PDF + name.encode() for name in names}
    await room.hears(*[announced(room.url, name, kind="file") for name in names])
    await room.tries()
    assert {one["id"]: one["status"] for one in (await room.row()).attachments} == dict.fromkeys(names, "ok")


async def test_files_of_today_come_before_those_of_a_long_history(room):
    old = [room.channel.says(n, room.town.now - 100 * MINUTE, [announced(room.url, f"o{n}")]) for n in range(AT_ONCE)]
    await room.arrivals.take(room.channel, old, via="poll", history=True)
    room.shelf.files["/a.png"] = picture()
    await room.hears(announced(room.url, "a.png"), number=99)
    await room.work.step(room.town.now)
    assert "/a.png" in room.shelf.asked


async def test_a_file_is_fetched_again_on_demand_and_that_is_noted(room):
    await room.gets("a.png", 403)
    with pytest.raises(ForbiddenError):
        await room.work.refetch(VIEWER, KEY, "m1", "a.png")
    with pytest.raises(NotFoundError):
        await room.work.refetch(AGENT, KEY, "m1", "b.png")
    room.shelf.files["/a.png"] = picture()
    await room.work.refetch(AGENT, KEY, "m1", "a.png")
    await room.tries()
    assert await room.troubles() == {"a.png": "resolved"}
    with pytest.raises(ConflictError):
        await room.work.refetch(AGENT, KEY, "m1", "a.png")
    audits = (await room.town.store.audit(10)).items
    assert [(one.who, one.what) for one in audits] == [("mei", "attachment.refetched")]


async def test_a_file_is_given_out_for_its_own_message_alone(room):
    content = picture()
    await room.gets("a.png", content)
    await room.hears(announced(room.url, "a.png"), number=2)
    held = await room.held.find(KEY, "m1", "a.png")
    assert b"".join([piece async for piece in room.held.read(held)]) == content
    assert b"".join([piece async for piece in room.held.read(held, 3, 5)]) == content[3:8]
    for place in [("album/shop-1/c2", "m1", "a.png"), (KEY, "m2", "a.png"), (KEY, "m1", "b.png"), (KEY, "m9", "a.png")]:
        with pytest.raises(NotFoundError):
            await room.held.find(*place)


async def test_what_is_told_of_a_file_names_no_digest(room):
    await room.gets("a.png", picture())
    told = shown(KEY, "m1", await room.file("a.png"))
    assert told["href"] == "/api/v1/conversations/album%2Fshop-1%2Fc1/messages/m1/attachments/a.png"
    assert told["thumb"] == told["href"] + "/thumb"
    assert told["found"]["mime"] == "image/png"
    assert not [value for value in (*told.values(), *told["found"].values()) if len(str(value)) == 64]
