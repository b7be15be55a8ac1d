"""AT-32: a message is there before its files are; none of them is offered before it can be had."""

import asyncio
import base64

import pytest

from services.files.serving import shown
from tests.acceptance.deployment import until
from tests.services_layer.album import OGG, announced, picture
from tests.services_layer.darkroom import KEY, darkroom

PICTURES = [f"p{n}.jpg" for n in range(20)]
SOUNDS = [f"s{n}.ogg" for n in range(5)]


class SlowFiles:
    """A place for files that keeps none until its gate opens."""

    def __init__(self, files):
        self.files, self.gate, self.waiting = files, asyncio.Event(), asyncio.Event()

    async def put_file(self, digest, content):
        self.waiting.set()
        await self.gate.wait()
        return await self.files.put_file(digest, content)

    def __getattr__(self, name):
        return getattr(self.files, name)


@pytest.fixture
async def room(data_dir):
    async with darkroom(data_dir) as opened:
        opened.slow = opened.work._files = SlowFiles(opened.files)  # the place the work keeps them in
        yield opened


async def views(room):
    return [shown(KEY, "m1", one) for one in (await room.row()).attachments]


async def test_no_file_is_offered_before_it_can_be_had_and_then_every_one_is(room):
    room.shelf.files |= {f"/{name}": picture("JPEG", (60 + n, 40)) for n, name in enumerate(PICTURES)}
    room.shelf.files |= {f"/{name}": OGG + name.encode() for name in SOUNDS}
    sent = [announced(room.url, name) for name in PICTURES]
    sent += [announced(room.url, name, kind="audio") for name in SOUNDS]
    await room.hears(*sent)
    fetching = asyncio.create_task(room.work.step(room.town.now))
    await asyncio.wait_for(room.slow.waiting.wait(), 30)
    assert (await room.row()).text == "see the pictures"
    assert [one["id"] for one in await views(room) if "href" in one or "thumb" in one or "status" in one] == []
    await room.town.pass_by(61_000)
    assert set((await room.troubles()).values()) == {"open"}
    assert len(await room.troubles()) == 25
    room.slow.gate.set()
    await fetching
    while await room.work.step(room.town.now):
        pass
    told = await views(room)
    assert [one["id"] for one in told if "href" not in one or one["status"] != "ok"] == []
    assert len([one for one in told if "thumb" in one]) == 20
    for name in (*PICTURES, *SOUNDS):
        assert (await room.held.find(KEY, "m1", name)).size
    assert set((await room.troubles()).values()) == {"resolved"}


def test_files_of_real_platforms_come_by_themselves_and_expired_ones_are_cured(shop_of):
    """Over HTTP, from the platform's webhook to the bytes that a browser gets."""
    shop = shop_of("telegram")
    weir = shop.deployment.weir
    shop.set("attachment.grace_s=60")
    [written] = shop.says("look at this", picture=True)

    def file_of(message):
        return [one for row in shop.message(message) for one in row["attachments"]]

    [file] = until(lambda: [one for one in file_of(written["id"]) if one.get("status")], shop.rows)
    assert file["status"] == "ok", file
    given = weir.get(file["href"])
    assert (given.status_code, given.headers["content-type"]) == (200, file["found"]["mime"])
    assert given.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert weir.get(file["thumb"]).headers["content-type"] == "image/webp"

    shop.fault("expire_attachment")
    [late] = shop.says("and this", picture=True)
    [gone] = until(lambda: [one for one in file_of(late["id"]) if one.get("status")], shop.rows)
    assert (gone["status"], gone["reason"], "href" in gone) == ("expired", "expired_url", False)
    [trouble] = until(lambda: shop.anomalies("attachment_failed"), shop.rows)
    assert (trouble["message"], trouble["status"]) == (late["id"], "open")
    shop.heal()
    parts = [f"/api/v1/conversations/{shop.key}/{late['conversation']}/messages/{late['id']}".replace(":", "%3A")]
    asked = weir.post(f"{parts[0]}/attachments/{gone['id']}/refetch")
    assert asked.status_code == 202, asked.text
    until(lambda: [one for one in file_of(late["id"]) if one["status"] == "ok"], shop.rows)
    until(lambda: [one["status"] for one in shop.anomalies("attachment_failed")] == ["resolved"], shop.anomalies)


def test_a_page_that_is_called_a_picture_is_never_shown(shop_of):
    shop = shop_of("telegram")
    content = base64.b64encode(b"<!doctype html><script>alert(1)</script>").decode()
    [written] = shop.says("my receipt", file={"mime": "image/jpeg", "content": content})
    rows = until(lambda: [row for row in shop.message(written["id"]) if row["attachments"][0].get("status")], shop.rows)
    [file] = rows[0]["attachments"]
    assert (file["status"], file["reason"], "href" in file) == ("corrupt", "not_the_file", False)


@pytest.mark.parametrize("platform", ["lazada", "tiktok", "whatsapp"])
def test_every_platforms_pictures_come(shop_of, platform):
    shop = shop_of(platform)
    [written] = shop.says(None, picture=True)
    rows = until(lambda: [row for row in shop.message(written["id"]) if row["attachments"][0].get("status")], shop.rows)
    [file] = rows[0]["attachments"]
    assert (file["status"], file["found"]["width"]) == ("ok", 64), file
    assert shop.deployment.weir.get(file["thumb"]).status_code == 200
