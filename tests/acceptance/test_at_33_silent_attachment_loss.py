"""AT-33: of eighteen files none is lost without a word; each that cannot be used says why, and what to do."""

import hashlib

import pytest

from actors.events import Attachment
from services.people.permissions import Caller
from tests.services_layer.album import HEIC, PDF, announced, picture
from tests.services_layer.darkroom import KEY, darkroom

AGENT = Caller(name="mei", role="agent", via="session")
GOOD = [f"good{n}" for n in range(14)]


@pytest.fixture
async def room(data_dir):
    async with darkroom(data_dir) as opened:
        yield opened


async def test_eighteen_files_are_fourteen_that_are_there_and_four_with_a_reason_and_a_cure(room):
    kinds = ("JPEG", "PNG", "GIF", "WEBP")
    room.shelf.files |= {f"/{name}": picture(kinds[n % 4], (30 + n, 20)) for n, name in enumerate(GOOD)}
    room.shelf.files |= {"/empty.png": b"", "/iphone.jpg": HEIC, "/old.png": 403, "/other.pdf": PDF}
    digest = hashlib.sha256(b"what was announced").hexdigest()
    sent: list[Attachment] = [announced(room.url, name) for name in GOOD]
    sent += [announced(room.url, name) for name in ("empty.png", "iphone.jpg", "old.png")]
    sent.append(announced(room.url, "other.pdf", kind="file", sha256=digest))
    await room.hears(*sent)
    await room.tries(minutes=2)

    files = (await room.row()).attachments
    assert len(files) == 18
    assert [one["id"] for one in files if one["status"] == "ok"] == GOOD
    bad = {one["id"]: (one["status"], one["detail"]["reason"], one["detail"]["cure"]) for one in files[14:]}
    assert bad == {
        "empty.png": ("corrupt", "empty", "ask_customer"),
        "iphone.jpg": ("unsupported", "undecodable", "convert"),
        "old.png": ("expired", "expired_url", "ask_customer"),
        "other.pdf": ("corrupt", "hash_differs", "re_fetch"),
    }
    assert (await room.row()).text == "see the pictures"
    assert await room.troubles() == dict.fromkeys(bad, "open")

    room.shelf.files["/old.png"] = picture()
    room.shelf.files["/other.pdf"] = b"what was announced"
    for name in ("old.png", "other.pdf"):
        await room.work.refetch(AGENT, KEY, "m1", name)
    await room.tries()
    assert await room.troubles() == {
        "empty.png": "open",
        "iphone.jpg": "open",
        "old.png": "resolved",
        "other.pdf": "resolved",
    }
