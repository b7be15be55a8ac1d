"""Every connector against the platform that was emulated from the same documentation, by somebody else."""

from __future__ import annotations

import hashlib

import httpx
import pytest
from msgspec.structs import replace

from actors.errors import RetriableError
from actors.events import Message
from actors.orders import Order
from connectors.contract.authorising import Ask, Reply
from connectors.contract.calling import ApiResponse, BusyError, DeniedError, RefusedError, UncertainError
from connectors.contract.connector import Binding, OnePerson, WebhookRequest
from connectors.contract.history import Pointer, Window
from connectors.contract.outgoing import Outgoing, OutgoingFile
from connectors.contract.typed import Beginning, Place, worded
from connectors.registry import BY_PLATFORM
from emulator.faults import Fault
from emulator.pictures import png
from emulator.platforms.registry import PLATFORMS
from services.channels.marks import PLATFORMS as MARKING
from services.replies.recalls import SPANS
from tests.connectors.recordings import recording
from tests.emulator.conftest import BASE

MAIL = "amazon"
"""Its buyers write mails, which no emulator sends; what its API takes is asked of in tests/api."""
BOUND = [kind.name for kind in PLATFORMS if kind.name in BY_PLATFORM and kind.name != MAIL]
CHATS = [kind.name for kind in PLATFORMS if kind.chats and kind.name in BY_PLATFORM]
PUSHING = [kind.name for kind in PLATFORMS if kind.name in CHATS and kind.pushes]
TELLING_HISTORY = [name for name in CHATS if BY_PLATFORM[name].capabilities.history]
TAKING_FILES = [name for name in CHATS if BY_PLATFORM[name].limits.files != 0]
SPAN_MS = 3_600_000
WANT_A_TEXT = {"ebay", "mercadolibre"}
"""A file alone is no message there."""
WORD = "a-long-word-of-our-own-choice-000000"


class Wire:
    """Asks the emulator, as the service does it."""

    def __init__(self, bench):
        self._bench = bench

    def now(self):
        return self._bench.stage.clock.now()

    async def call(self, request):
        assert request.url.startswith(BASE), request.url
        url = httpx.URL(request.url)
        if request.query:
            url = url.copy_merge_params(list(request.query))
        try:
            answer = await self._bench.client.request(
                request.method, url, headers=dict(request.headers), content=request.body
            )
        except httpx.RemoteProtocolError as broken:
            raise UncertainError("no whole answer") from broken
        return ApiResponse(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=answer.content,
        )


def connected(bench, platform):
    """The connector of the platform's shop, bound with what the platform gives."""
    shop = bench.shop(platform)
    kind = BY_PLATFORM[platform]
    given = bench.stage.platforms[platform].settings(shop)
    given |= {
        "api_url": f"{BASE}/{platform}",
        "auth_url": f"{BASE}/{platform}",
        "webhook_key": WORD,
        "confirmed": "yes",
    }
    names = {setting.name for setting in kind.settings}
    missing = [one.name for one in kind.settings if one.required and one.name not in given]
    assert missing == []
    url = f"https://weir.example/webhooks/{shop.key}" + (f"?key={WORD}" if "webhook_key" in names else "")
    bench.stage.pusher.subscribe(shop, url)
    binding = Binding(account=shop.account, url=url, settings={n: v for n, v in given.items() if n in names})
    return kind(binding)


async def taken(bench, connector, request):
    """What the connector makes of a webhook that was pushed."""
    asked = WebhookRequest(
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.url.params),
        body=request.content,
    )
    wire = Wire(bench)
    if connector.prepares:
        await connector.prepare(asked, wire)
    connector.verify(asked)
    found = []
    for one in connector.parse(asked):
        found.extend(await connector.resolve(one, wire) if isinstance(one, Pointer) else [one])
    return [one for one in found if not isinstance(one, OnePerson)]


async def pushed(bench, connector):
    events = []
    for request in bench.heard.requests:
        events.extend(await taken(bench, connector, request))
    bench.heard.requests.clear()
    return events


def messages(events):
    return [one for one in events if isinstance(one, Message)]


@pytest.mark.parametrize("platform", PUSHING)
async def test_what_a_buyer_writes_arrives_as_it_was_written(bench, platform):
    connector = connected(bench, platform)
    truth = await bench.says(platform, "Grüße, wo bleibt 你好 🙂?", times=2)
    told = messages(await pushed(bench, connector))
    assert sorted({(one.conversation, one.message, one.text) for one in told}) == sorted(
        (one["conversation"], one["id"], one["text"]) for one in truth
    )
    assert {one.direction for one in told} == {"in"}
    assert all(abs(one.sent_at - truth[0]["at"]) < 1_000 for one in told)


@pytest.mark.parametrize("platform", CHATS)
async def test_a_reply_is_sent_and_held_by_the_platform(bench, platform):
    connector = connected(bench, platform)
    (asked,) = await bench.says(platform, "hello")
    conversation = bench.shop(platform).conversations[asked["conversation"]]
    reply = Outgoing(
        id="01J0000000000000000000000A",
        conversation=conversation.id,
        at=bench.stage.clock.now(),
        text="It left today",
        recipient=conversation.buyer.id,
        last_in_at=asked["at"],
        thread=[asked["id"]],
    )
    assert list(connector.objections(reply, bench.stage.clock.now())) == []
    bench.heard.requests.clear()
    sent = await connector.send(reply, Wire(bench))
    held = conversation.last("out")
    assert held is not None
    assert held.text == "It left today"
    assert sent.message in {held.id, None}
    await bench.emulator.settle()
    echoed = messages(await pushed(bench, connector))
    assert {(one.message, one.direction, one.text) for one in echoed} <= {(held.id, "out", "It left today")}


@pytest.mark.parametrize("platform", TELLING_HISTORY)
async def test_history_tells_what_the_webhooks_would_have_told(bench, platform):
    connector = connected(bench, platform)
    bench.stage.pusher.subscribe(bench.shop(platform), None)
    for index in range(3):
        await bench.says(platform, f"conversation {index} {{n}}", times=15)
    await bench.says(platform, "from the app", by="shop")
    truth = bench.shop(platform).messages()
    now = bench.stage.clock.now()
    found = {}
    asked = sorted({one.conversation for one in truth}) if connector.pace.conversations else [None]
    for conversation in asked:
        window = Window(since=now - SPAN_MS, until=now + 1_000, conversation=conversation)
        async for page in connector.history(window, Wire(bench)):
            found |= {(m.conversation, m.message): (m.direction, m.text) for m in messages(page)}
    assert found == {(one.conversation, one.id): (one.direction, one.text) for one in truth}


@pytest.mark.parametrize("platform", CHATS)
async def test_a_channel_that_is_well_is_probed_so(bench, platform):
    connector = connected(bench, platform)
    probe = await connector.probe(Wire(bench))
    assert probe.auth in {"ok", "expiring"}
    assert probe.subscription in {"active", "unknown"}
    assert probe.lacking == ()


async def denied(bench, connector, kind):
    """What a connector makes of a fault while it sends."""
    (asked,) = await bench.says(connector.platform, "hello")
    conversation = bench.shop(connector.platform).conversations[asked["conversation"]]
    reply = Outgoing(
        id="01J0000000000000000000000A",
        conversation=conversation.id,
        at=bench.stage.clock.now(),
        text="It left today",
        recipient=conversation.buyer.id,
        last_in_at=asked["at"],
        thread=[asked["id"]],
    )
    fault = {"kind": kind, "platform": connector.platform, "seconds": 0.01}
    assert (await bench.client.put("/_emulator/faults", json=[fault])).status_code == 200
    return await connector.send(reply, Wire(bench))


@pytest.mark.parametrize(
    ("kind", "error"), [("revoke_token", DeniedError), ("rate_limit", BusyError), ("broken", RetriableError)]
)
@pytest.mark.parametrize("platform", CHATS)
async def test_a_platforms_trouble_is_understood(bench, platform, kind, error):
    connector = connected(bench, platform)
    with pytest.raises(error):
        await denied(bench, connector, kind)


@pytest.mark.parametrize("kind", ["lost_answer", "timeout_after"])
@pytest.mark.parametrize("platform", CHATS)
async def test_a_reply_whose_answer_is_lost_is_held_and_may_have_gone_out(bench, platform, kind):
    connector = connected(bench, platform)
    with pytest.raises(UncertainError):
        await denied(bench, connector, kind)
    if kind == "lost_answer":
        assert [one.text for one in bench.shop(platform).messages() if one.direction == "out"] == ["It left today"]


@pytest.mark.parametrize("platform", [name for name in BOUND if BY_PLATFORM[name].oauth is not None])
async def test_a_channel_is_authorised_and_renewed_in_the_platforms_own_way(bench, platform):
    connector = connected(bench, platform)
    redirect = "https://weir.example/api/v1/oauth/back"
    where = connector.authorise_url(
        Ask(at=bench.stage.clock.now(), state="a-state", redirect=redirect, challenge="c" * 43)
    )
    shown = await bench.client.get(where)
    assert shown.status_code == 302, shown.text
    location = shown.next_request.url
    query = dict(location.params)
    assert query.get("state", "a-state") == "a-state"
    grant = await connector.exchange(Reply(query=query, redirect=redirect, verifier="v" * 43), Wire(bench))
    assert set(connector.oauth.grants) >= set(grant.settings) > set()
    bench.emulator.life.rate = 0
    settings = {**connector.binding.settings, **grant.settings}
    again = type(connector)(Binding(account=connector.binding.account, url=connector.binding.url, settings=settings))
    assert (await again.probe(Wire(bench))).auth in {"ok", "expiring"}
    renewed = await again.renew(Wire(bench))
    if renewed is not None:
        last = Binding(account=again.binding.account, url=again.binding.url, settings={**settings, **renewed.settings})
        assert (await type(connector)(last).probe(Wire(bench))).auth in {"ok", "expiring"}


@pytest.mark.parametrize("platform", PUSHING)
async def test_a_picture_can_be_fetched_and_is_the_one_that_was_sent(bench, platform):
    connector = connected(bench, platform)
    (message,) = await bench.says(platform, "", picture=True)
    (told,) = messages(await pushed(bench, connector))
    (file,) = told.attachments
    asked = await connector.locate(file, Wire(bench))
    assert asked is not None
    answer = await Wire(bench).call(asked)
    assert answer.status == 200
    assert answer.body == bench.stage.world.media[message["media"]].content


@pytest.mark.parametrize("platform", [name for name in BOUND if name not in CHATS])
async def test_orders_arrive_and_are_read_back(bench, platform):
    connector = connected(bench, platform)
    await bench.says(platform, times=5)
    shop = bench.shop(platform)
    told = [one for one in await pushed(bench, connector) if isinstance(one, Order)]
    assert {one.id for one in told} >= {one.id for one in shop.orders}
    now = bench.stage.clock.now()
    found = {}
    async for page in connector.history(Window(since=now - SPAN_MS, until=now + 1_000), Wire(bench)):
        found |= {one.id: one for one in page if isinstance(one, Order)}
    assert set(found) == {one.id for one in shop.orders}
    assert {one.total for one in found.values()} == {f"{one.total / 100:.2f}" for one in shop.orders}


async def test_mercado_libre_is_asked_for_the_notifications_that_did_not_get_through(bench):
    """What was read elsewhere is listed as unread no more; only the missed notifications tell of it."""
    connector = connected(bench, "mercadolibre")
    shop = await bench.subscribe("mercadolibre")
    bench.stage.faults.add(Fault(kind="silent", platform="mercadolibre"))
    await bench.says("mercadolibre", "nobody told of this")
    bench.stage.faults.replace([])
    (message,) = shop.messages()
    message.status = "read"
    now = bench.stage.clock.now()
    window = Window(since=now - SPAN_MS, until=now + 1_000)
    found = [one async for page in connector.history(window, Wire(bench)) for one in page]
    assert [one.text for one in messages(found)] == ["nobody told of this"]


class Photo:
    """A file to send, without a public address and with one."""

    def __init__(self, url=None):
        self.content = png(5)
        self.url = url

    def outgoing(self):
        async def read():
            yield self.content

        digest = hashlib.sha256(self.content).hexdigest()
        return OutgoingFile(
            name="photo.png", mime="image/png", size=len(self.content), digest=digest, read=read, url=self.url
        )


async def heard():
    yield recording(2_500)


async def seen():
    yield b"a film"


PLAYED = {"audio/mp4": heard, "video/mp4": seen}


@pytest.mark.parametrize("platform", TAKING_FILES)
async def test_a_picture_of_ours_is_held_by_the_platform(bench, platform):
    connector = connected(bench, platform)
    (asked,) = await bench.says(platform, "hello")
    conversation = bench.shop(platform).conversations[asked["conversation"]]
    photo = Photo("https://weir.example/files/photo.png")
    reply = Outgoing(
        id="01J0000000000000000000000A",
        conversation=conversation.id,
        at=bench.stage.clock.now(),
        text="This is what it looks like" if platform in WANT_A_TEXT else "",
        recipient=conversation.buyer.id,
        last_in_at=asked["at"],
        thread=[asked["id"]],
        files=[photo.outgoing()],
    )
    assert list(connector.objections(reply, bench.stage.clock.now())) == []
    await connector.send(reply, Wire(bench))
    held = conversation.last("out")
    assert held is not None
    file = bench.stage.world.media[held.media]
    assert file.content in {photo.content, photo.url.encode()}


async def test_letters_are_listed_by_their_buyer_too(bench):
    connector = connected(bench, "aliexpress")
    settings = {**connector.binding.settings, "by_buyer": "yes"}
    listing = type(connector)(Binding(account=connector.binding.account, url="", settings=settings))
    truth = await bench.says("aliexpress", "line {n}", times=2)
    window = Window(since=truth[0]["at"] - SPAN_MS, until=truth[0]["at"] + SPAN_MS)
    for one in (window, replace(window, conversation=truth[0]["conversation"])):
        told = messages([event async for page in listing.history(one, Wire(bench)) for event in page])
        assert sorted(message.message for message in told) == sorted(asked["id"] for asked in truth)


async def test_ebay_takes_the_wish_for_a_copy(bench):
    connector = connected(bench, "ebay")
    settings = {**connector.binding.settings, "copy_to_sender": "yes"}
    copying = type(connector)(Binding(account=connector.binding.account, url="", settings=settings))
    (asked,) = await bench.says("ebay", "hello")
    reply = Outgoing(id="weir-1", conversation=asked["conversation"], at=asked["at"], text="It left today")
    sent = await copying.send(reply, Wire(bench))
    assert sent.message == bench.shop("ebay").conversations[asked["conversation"]].last("out").id
    told = {"conversationId": asked["conversation"], "messageText": "x", "emailCopyToSender": "yes"}
    headers = {"Authorization": f"Bearer {settings['access_token']}"}
    refused = await bench.client.post(f"{BASE}/ebay/commerce/message/v1/send_message", json=told, headers=headers)
    assert refused.status_code == 400


async def test_line_is_told_how_long_a_recording_is_and_what_is_shown_of_a_film(bench):
    connector = connected(bench, "line")
    preview = {"recordings": "yes", "film_preview": "https://weir.example/film.png"}
    binding = Binding(account=connector.binding.account, url="", settings={**connector.binding.settings, **preview})
    (asked,) = await bench.says("line", "hello")
    conversation = bench.shop("line").conversations[asked["conversation"]]
    address = "https://weir.example/files/1"
    sound, film = (replace(Photo(address).outgoing(), mime=mime, read=read) for mime, read in PLAYED.items())
    for number, one in enumerate((sound, film)):
        reply = Outgoing(id=f"weir-{number}", conversation=conversation.id, at=asked["at"], files=[one])
        await type(connector)(binding).send(reply, Wire(bench))
        assert bench.stage.world.media[conversation.last("out").media].content == address.encode()
    told = {"to": conversation.id, "messages": [{"type": "audio", "originalContentUrl": address}]}
    headers = {"Authorization": f"Bearer {connector.binding.settings['access_token']}"}
    refused = await bench.client.post(f"{BASE}/line/v2/bot/message/push", json=told, headers=headers)
    assert (refused.status_code, "duration" in refused.text) == (400, True)


async def test_several_pictures_of_ours_are_one_album(bench):
    connector = connected(bench, "telegram")
    (asked,) = await bench.says("telegram", "hello")
    conversation = bench.shop("telegram").conversations[asked["conversation"]]
    album = Outgoing(
        id="01J0000000000000000000000A",
        conversation=conversation.id,
        at=bench.stage.clock.now(),
        text="Both sides",
        reply_to=asked["id"],
        files=[Photo().outgoing()] * 3,
    )
    assert list(connector.objections(album, bench.stage.clock.now())) == []
    sent = await connector.send(album, Wire(bench))
    held = [one for one in conversation.messages if one.direction == "out"]
    assert [(one.text, one.reply_to) for one in held] == [("Both sides", asked["id"]), *[("", asked["id"])] * 2]
    assert {bench.stage.world.media[one.media].content for one in held} == {Photo().content}
    assert sent.message == held[0].id


async def test_a_bot_without_a_webhook_asks_for_its_updates_until_they_are_confirmed(bench):
    connector = connected(bench, "telegram")
    settings = {**connector.binding.settings, "long_poll": "yes"}
    asking = type(connector)(Binding(account=connector.binding.account, url=connector.binding.url, settings=settings))
    assert (await asking.probe(Wire(bench))).subscription == "disabled", "a webhook is registered"
    bench.stage.pusher.subscribe(bench.shop("telegram"), None)
    assert (await asking.probe(Wire(bench))).subscription == "active"
    truth = [one["id"] for one in await bench.says("telegram", "line {n}", times=3)]
    for _ in range(2):  # what was not confirmed comes again
        drawn = await asking.draw(Wire(bench))
        assert [one.message for one in messages(drawn.parsed)] == truth
    await asking.confirm(drawn, Wire(bench))
    assert (await asking.draw(Wire(bench))).done == ()
    (later,) = await bench.says("telegram", "one more")
    assert [one.message for one in messages((await asking.draw(Wire(bench))).parsed)] == [later["id"]]


async def test_a_bot_says_what_its_webhook_is_not_told_of(bench):
    connector = connected(bench, "telegram")
    settings = {**connector.binding.settings, "reactions": "yes"}
    showing = type(connector)(Binding(account=connector.binding.account, url=connector.binding.url, settings=settings))
    assert (await connector.probe(Wire(bench))).detail == ""
    assert "message_reaction" in (await showing.probe(Wire(bench))).detail
    call = f"{BASE}/telegram/bot{settings['bot_token']}/setWebhook"
    told = {"url": connector.binding.url, "secret_token": settings["secret_token"]}
    names = ["message", "edited_message", "message_reaction"]
    assert (await bench.client.post(call, json=told | {"allowed_updates": names})).json()["ok"] is True
    assert (await showing.probe(Wire(bench))).detail == ""


async def test_an_app_of_the_older_gateway_is_known_by_its_signature(bench):
    connector = connected(bench, "aliexpress")
    for method in ("md5", "sha256"):
        settings = {**connector.binding.settings, "sign_method": method}
        bound = type(connector)(Binding(account=connector.binding.account, url="", settings=settings))
        assert (await bound.probe(Wire(bench))).auth == "ok"
    wrong = {**connector.binding.settings, "sign_method": "md5", "app_secret": "another"}
    with pytest.raises(DeniedError):
        await type(connector)(Binding(account="x", url="", settings=wrong)).probe(Wire(bench))


async def test_an_approved_template_reaches_a_customer_who_wrote_days_ago(bench):
    connector = connected(bench, "whatsapp")
    now = bench.stage.clock.now()
    (asked,) = await bench.says("whatsapp", "hello", at=now - 3 * 24 * SPAN_MS)
    conversation = bench.shop("whatsapp").conversations[asked["conversation"]]
    shipped = next(one for one in await connector.wordings(Wire(bench)) if one.title == "order_on_its_way")
    filled = {"HEAD_1": "112-1", "1": "Ana", "2": "DHL"}
    own = await connector.say(conversation.id, "weir-1", shipped, filled, Wire(bench))
    held = conversation.last("out")
    assert (held.id, held.text, held.client) == (own, worded(shipped, filled), "weir-1")
    with pytest.raises(RefusedError, match="132001"):
        await connector.say(conversation.id, "weir-2", replace(shipped, kind="unknown/en"), filled, Wire(bench))
    missing = replace(shipped, words="Order {{HEAD_1}}, {{1}}")
    with pytest.raises(RefusedError, match="132000"):
        await connector.say(conversation.id, "weir-3", missing, {"HEAD_1": "1", "1": "Ana"}, Wire(bench))


async def test_a_template_with_a_picture_and_one_with_buttons_reach_the_customer(bench):
    connector = connected(bench, "whatsapp")
    (asked,) = await bench.says("whatsapp", "hello")
    conversation = bench.shop("whatsapp").conversations[asked["conversation"]]
    offered = {one.title: one for one in await connector.wordings(Wire(bench))}
    assert "at_our_shop" not in offered
    photo = Photo("https://weir.example/files/photo.png")
    pictured = offered["with_a_picture"]
    await connector.say(conversation.id, "weir-1", pictured, {}, Wire(bench), files=[photo.outgoing()])
    held = conversation.last("out")
    assert (held.text, bench.stage.world.media[held.media].content) == (pictured.words, photo.content)
    with pytest.raises(RefusedError, match="132012"):
        await connector.say(conversation.id, "weir-2", replace(pictured, media=None), {}, Wire(bench))
    led = offered["follow_it"]
    filled = {"1": "Ana", "BUTTON_1": "JD014600", "CODE_2": "SAVE25"}
    assert set(led.blanks) == set(filled)
    await connector.say(conversation.id, "weir-3", led, filled, Wire(bench))
    assert conversation.last("out").text == worded(led, filled)
    short = replace(led, words="Your parcel is on its way, {{1}}.")
    with pytest.raises(RefusedError, match="132000"):
        await connector.say(conversation.id, "weir-4", short, {"1": "Ana"}, Wire(bench))


ORDER = "465423342423"
DAY_MS = 24 * SPAN_MS


@pytest.mark.parametrize(
    ("platform", "kind", "text", "told_as"),
    [
        ("lazada", "orderMessage", "It left today", None),
        ("lazada", "orderCard", "", "order"),
        ("lazada", "couponCard", "91471122", "voucher"),
        ("tiktok", "orderMessage", "It left today", None),
        ("tiktok", "orderCard", "", "ORDER_CARD"),
        ("tiktok", "parcelCard", "", "LOGISTICS_CARD"),
        ("shopee", "orderCard", "", "order"),
        ("shopee", "productCard", "2203", "item"),
        ("mercadolibre", "OTHER", "Preciso de um dado", None),
        ("mercadolibre", "REQUEST_BILLING_INFO", "", None),
    ],
)
async def test_what_a_seller_begins_about_an_order_is_held_and_comes_back(bench, platform, kind, text, told_as):
    connector = connected(bench, platform)
    (asked,) = await bench.says(platform, "hello", order=ORDER)
    conversation = bench.shop(platform).conversations[asked["conversation"]]
    await bench.says(platform, "so far", by="shop", conversation=conversation.id)
    place = Place(conversation=conversation.id, customer=conversation.buyer.id)
    assert kind in await connector.actions(ORDER, Wire(bench), place=place)
    bench.heard.requests.clear()
    own = await connector.act(Beginning(order=ORDER, kind=kind, text=text, place=place), Wire(bench))
    held = conversation.last("out")
    assert held.id == own
    await bench.emulator.settle()
    echoes = [one for one in messages(await pushed(bench, connector)) if one.message == own]
    assert {(one.conversation, one.direction, one.text or "") for one in echoes} == {
        (conversation.id, "out", held.text)
    }
    assert {(one.extra or {}).get("kind") for one in echoes} == {told_as}


@pytest.mark.parametrize(("platform", "days"), [("lazada", 31), ("tiktok", 61)])
async def test_an_order_that_is_too_old_begins_nothing(bench, platform, days):
    connector = connected(bench, platform)
    now = bench.stage.clock.now()
    (asked,) = await bench.says(platform, "hello", order=ORDER, at=now - days * DAY_MS)
    with pytest.raises(RefusedError):
        await connector.act(
            Beginning(order=ORDER, kind="orderCard", place=Place(conversation=asked["conversation"])), Wire(bench)
        )
    assert [one for one in bench.shop(platform).messages() if one.direction == "out"] == []


@pytest.mark.parametrize("platform", ["lazada", "tiktok"])
async def test_an_order_is_not_written_about_to_another_customer(bench, platform):
    connector = connected(bench, platform)
    await bench.says(platform, "hello", order=ORDER)
    with pytest.raises(RefusedError, match="another customer's"):
        await connector.act(Beginning(order=ORDER, kind="orderCard", place=Place(conversation="another")), Wire(bench))
    assert [one for one in bench.shop(platform).messages() if one.direction == "out"] == []


async def test_a_reason_is_good_for_one_message_until_the_buyer_answers(bench):
    connector = connected(bench, "mercadolibre")
    (asked,) = await bench.says("mercadolibre", "hello")
    place = Place(conversation=asked["conversation"])
    assert await connector.actions("1", Wire(bench), place=place) == [], "the buyer waits for an answer"
    with pytest.raises(RefusedError, match="blocked"):
        await connector.act(Beginning(order="1", kind="OTHER", text="Preciso de um dado", place=place), Wire(bench))
    await bench.says("mercadolibre", "so far", by="shop", conversation=asked["conversation"])
    await connector.act(Beginning(order="1", kind="OTHER", text="Preciso de um dado", place=place), Wire(bench))
    left = await connector.actions("1", Wire(bench), place=place)
    assert left == ["REQUEST_VARIANTS", "REQUEST_BILLING_INFO", "SEND_INVOICE_LINK"]
    with pytest.raises(RefusedError, match="again"):
        await connector.act(Beginning(order="1", kind="OTHER", text="Preciso de outro", place=place), Wire(bench))


@pytest.mark.parametrize("platform", sorted(SPANS))
async def test_what_we_sent_is_taken_back_and_the_push_of_it_is_what_was_told(bench, platform):
    connector = connected(bench, platform)
    (asked,) = await bench.says(platform, "hello")
    conversation = bench.shop(platform).conversations[asked["conversation"]]
    first, second = [
        await connector.send(Outgoing(id=one, conversation=conversation.id, at=0, text=one), Wire(bench))
        for one in ("one", "two")
    ]
    await bench.emulator.settle()
    bench.heard.requests.clear()
    told = await connector.recall(conversation.id, first.message, Wire(bench))
    await bench.emulator.settle()
    assert await pushed(bench, connector) == [told]
    assert [one.status == "recalled" for one in conversation.messages] == [False, True, False]
    await bench.later(SPANS[platform] / 1000 + 1)
    with pytest.raises(RefusedError):
        await connector.recall(conversation.id, second.message, Wire(bench))
    assert conversation.last("out").status != "recalled"


@pytest.mark.parametrize("platform", sorted(set(CHATS) - set(SPANS)))
async def test_a_platform_that_takes_nothing_back_says_so(bench, platform):
    with pytest.raises(RefusedError, match="takes nothing back"):
        await connected(bench, platform).recall("c", "m", Wire(bench))


@pytest.mark.parametrize("platform", sorted(MARKING))
async def test_a_platform_is_told_up_to_where_a_conversation_was_read(bench, platform):
    connector = connected(bench, platform)
    settings = {**connector.binding.settings, "mark_read": "yes"}
    marking = type(connector)(Binding(account=connector.binding.account, url=connector.binding.url, settings=settings))
    assert (connector.marks_read(), marking.marks_read()) == (False, True)
    asked = (await bench.says(platform, "line {n}", times=2))[-1]
    await marking.mark_read(asked["conversation"], asked["id"], Wire(bench))
    assert bench.shop(platform).read in ({asked["conversation"]: asked["id"]}, {asked["conversation"]: "all"})


async def test_a_platform_that_cannot_be_told_refuses(bench):
    connector = connected(bench, "telegram")
    with pytest.raises(RefusedError, match="is not told"):
        await connector.mark_read("c", "m", Wire(bench))
