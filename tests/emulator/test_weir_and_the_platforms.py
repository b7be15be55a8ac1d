"""A whole Weir beside the emulated platforms: nothing is lost, nothing is doubled, whatever the platforms do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from actors.errors import RetriableError
from actors.keys import conversation_key
from api.app import create_api
from connectors.contract.connector import SignatureError, WebhookRequest
from connectors.registry import BY_PLATFORM
from emulator.app import Emulator, Plan
from emulator.faults import Fault
from emulator.platforms.registry import PLATFORMS
from emulator.server import bound, serving
from services.errors import NotFoundError
from services.people.permissions import Caller
from services.replies.replies import Ask, AskedFile
from storage.channel_records import ReplyFilter
from tests.services_layer.album import picture
from weir.config import Config
from weir.parts.emulated import bind_emulated
from weir.wiring import running

CALLER = Caller(name="a test", role="admin", via="cli")
PATIENCE_S = 100
AGO_MS = 120_000
"""Long enough ago that nobody thinks it is still on its way."""
CHATS = [kind.name for kind in PLATFORMS if kind.chats and kind.name in BY_PLATFORM]
TELLS_HISTORY = [name for name in CHATS if BY_PLATFORM[name].capabilities.history]
ECHOES = ["shopee", "lazada", "tiktok", "messenger", "instagram"]

pytestmark = pytest.mark.timeout(240)


class Door:
    """Weir's way in for webhooks, answered as its route does."""

    def __init__(self, weir):
        self._weir = weir

    async def __call__(self, request):
        _, _, platform, account = urlsplit(str(request.url)).path.split("/")
        asked = WebhookRequest(
            method=request.method,
            headers={name.lower(): value for name, value in request.headers.items()},
            query=dict(request.url.params),
            body=request.content,
        )
        try:
            answer = await self._weir.services.webhooks.receive(platform, unquote(account), asked)
        except SignatureError:
            return httpx.Response(401)
        except NotFoundError:
            return httpx.Response(404)
        except RetriableError:
            return httpx.Response(503)
        return httpx.Response(answer.status, content=answer.body)


class Town:
    """A Weir and the platforms that it is bound to."""

    def __init__(self, weir, emulator):
        self.weir, self.emulator, self.stage = weir, emulator, emulator.stage

    def shop(self, platform):
        return self.stage.world.of(platform)[0]

    async def held(self, platform):
        """What Weir holds of the conversations of a shop: (conversation, message, direction, text)."""
        shop, found = self.shop(platform), []
        for conversation in shop.conversations:
            key = conversation_key(platform, shop.account, conversation)
            try:
                page = await self.weir.services.conversations.messages(key, 500)
            except NotFoundError:
                continue
            found += [(conversation, row.message, row.direction, row.text or "") for row in page.items]
        return sorted(found)

    def truth(self, platform):
        """What the platform holds."""
        shop = self.shop(platform)
        return sorted((one.conversation, one.id, one.direction, one.text) for one in shop.messages())

    async def until(self, said):
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not await said():  # noqa: ASYNC110 # a store has no event to wait for
                await asyncio.sleep(0.1)

    async def told(self, platform):
        async def so():
            return await self.held(platform) == self.truth(platform)

        try:
            await self.until(so)
        except TimeoutError:
            assert await self.held(platform) == self.truth(platform)


@asynccontextmanager
async def town(folder, platforms):
    async with running(Config(data_dir=str(folder), partitions=2)) as weir:
        emulator = Emulator(Plan(seed=3, platforms=platforms))
        with bound("127.0.0.1", 0) as sock:
            async with serving(emulator, sock, httpx.MockTransport(Door(weir))) as address:
                made = await bind_emulated(
                    weir.services.bindings, CALLER, emulator=address, weir="https://weir.example"
                )
                assert len(made) == len(platforms)
                yield Town(weir, emulator)


async def test_pushes_that_are_lost_doubled_forged_and_out_of_order_lose_and_double_nothing(tmp_path):
    async with town(tmp_path, TELLS_HISTORY) as place:
        place.stage.faults.replace(
            [
                Fault(kind="drop", share=0.25),
                Fault(kind="double", share=0.25),
                Fault(kind="reorder", share=0.25, seconds=0.5),
                Fault(kind="forge", share=0.1),
                Fault(kind="rate_limit", share=0.1, left=10),
            ]
        )
        began = place.stage.clock.now() - AGO_MS
        for platform in TELLS_HISTORY:
            shop = place.shop(platform)
            for index in range(20):
                conversation = place.stage.conversation(shop, shop.buyers[index % 3].id)
                place.stage.write(conversation, f"message {index}", at=began + index * 1_000)
        place.stage.faults.set = [one for one in place.stage.faults.set if one.kind == "rate_limit"]
        assert place.stage.faults.struck["drop"] > 0
        for platform in TELLS_HISTORY:
            account = place.shop(platform).account

            async def compared(platform=platform, account=account):
                now = place.stage.clock.now()
                asked = await place.weir.services.resyncs.window(platform, account, began - 60_000, now, who="a test")
                return asked.state == "done" and await place.held(platform) == place.truth(platform)

            try:
                await place.until(compared)
            except TimeoutError:
                assert await place.held(platform) == place.truth(platform)


async def test_a_reply_reaches_its_buyer_and_stands_once(tmp_path):
    async with town(tmp_path, CHATS) as place:
        for platform in CHATS:
            place.stage.write(place.stage.conversation(place.shop(platform)), "where is it?")
        for platform in CHATS:
            if place.stage.platforms[platform].pushes:
                await place.told(platform)
        asked = [name for name in CHATS if place.stage.platforms[name].pushes]
        for platform in asked:
            await answered(place, platform)
        for platform in asked:
            await gone_out(place, platform)


@pytest.mark.parametrize("platform", ECHOES)
async def test_a_reply_whose_answer_was_lost_is_found_by_its_echo_and_not_sent_again(tmp_path, platform):
    async with town(tmp_path, [platform]) as place:
        place.stage.write(place.stage.conversation(place.shop(platform)), "where is it?")
        await place.told(platform)
        place.stage.faults.replace([Fault(kind="lost_answer", left=1)])
        await answered(place, platform)
        await gone_out(place, platform)
        assert place.stage.faults.struck == {"lost_answer": 1}


async def test_line_fetches_the_picture_of_a_reply_by_its_address(tmp_path):
    async with town(tmp_path, ["line"]) as place:
        place.stage.write(place.stage.conversation(place.shop("line")), "what does it look like?")
        await place.told("line")
        sent = picture()
        kept = await place.weir.services.outgoing_files.keep(CALLER, "a.png", pieces(sent))
        file = AskedFile(digest=kept.digest, name=kept.name, mime=kept.mime)
        shop = place.shop("line")
        (conversation,) = [one for one in shop.conversations.values() if one.messages]
        key = conversation_key("line", shop.account, conversation.id)
        row = await place.weir.services.replies.ask(CALLER, key, Ask(files=(file,)), "one picture")

        async def gone():
            return (await place.weir.services.replies.one(row.id)).state == "sent"

        await place.until(gone)
        [told] = [one for one in shop.messages() if one.direction == "out"]
        url = place.stage.media_url(told.media)
        assert url.startswith("https://weir.example/files/")
        door = httpx.ASGITransport(create_api(place.weir.services))
        async with httpx.AsyncClient(transport=door, base_url="https://weir.example") as fetcher:
            answer = await fetcher.get(url)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            assert answer.content == sent
            assert (await fetcher.get(f"/files/{kept.digest}")).status_code == 404


async def pieces(content):
    yield content


async def answered(place, platform):
    shop = place.shop(platform)
    (conversation,) = [one for one in shop.conversations.values() if one.messages]
    key = conversation_key(platform, shop.account, conversation.id)
    await place.weir.services.replies.ask(CALLER, key, Ask(text="It left today"), f"one {platform}")


async def gone_out(place, platform):
    """The reply is sent, the platform holds it once, and Weir shows it once."""
    shop = place.shop(platform)
    key = conversation_key(platform, shop.account, next(iter(shop.conversations)))

    async def sent():
        (row,) = (await place.weir.services.replies.page(ReplyFilter(key=key), 10)).items
        return row.state == "sent"

    async def shown():
        texts = [text for _, _, direction, text in await place.held(platform) if direction == "out"]
        return texts == ["It left today"]

    await place.until(sent)
    await place.until(shown)
    assert [one.text for one in shop.messages() if one.direction == "out"] == ["It left today"]
