"""Messages that a seller begins about an order: offered, sent once, shown in the conversation, and taken back."""

from __future__ import annotations

import time
from types import SimpleNamespace

import httpx
import pytest
from msgspec.structs import replace

from actors.effects import HopReached
from actors.events import Delete, Message, Receipt, Sender
from connectors.amazon.connector import Amazon
from connectors.contract.calling import ApiResponse, UncertainError
from connectors.contract.connector import Binding
from connectors.lazada import Lazada
from connectors.whatsapp import WhatsApp
from emulator.app import Emulator, Plan
from emulator.clock import Clock
from emulator.pictures import png
from services.files.outgoing import OutgoingFiles
from services.replies.recalls import SPANS, Recalls
from services.replies.replies import Replies
from services.replies.typed import TypedActions
from storage.files import FolderFiles
from tests.emulator.conftest import BASE, Network
from tests.services_layer.postal import Postal
from tests.storage.flushes import Flushes, stored

MAILBOX = {"imap_host": "mail.test", "smtp_host": "mail.test", "address": "shop@shop.test", "password": "p"}
ODD, EVEN, NONE = "302-1234567-1234561", "302-1234567-1234562", "302-1234567-1234560"
SALE = "465423342423"
KEY = "amazon/seller/c1"
PATH = f"/api/v1/conversations/{KEY}/actions"


class Wire:
    """Asks the emulator; `lose` answers of posts that were carried out, before they are told."""

    def __init__(self, client):
        self._client = client
        self.lose = False
        self.asked = []

    def now(self):
        return time.time_ns() // 1_000_000

    async def call(self, request):
        self.asked.append(request.url)
        answer = await self._client.request(
            request.method,
            request.url,
            params=[*httpx.URL(request.url).params.multi_items(), *request.query],
            headers=dict(request.headers),
            content=request.body,
        )
        if self.lose and "/messages/" in request.url:
            raise UncertainError("the answer was lost")
        return ApiResponse(status=answer.status_code, body=answer.content, headers=dict(answer.headers))


@pytest.fixture
async def shop(store, gateway, services, data_dir):
    """An emulated seller, a conversation about an order, and the services over them."""
    emulator = Emulator(Plan(seed=3), Clock(lambda: time.time_ns() // 1_000_000))
    asked = httpx.AsyncClient(transport=Network(emulator.app), base_url=BASE)
    heard = httpx.MockTransport(lambda _: httpx.Response(200))
    async with emulator.opened(BASE, heard), asked as client:
        seller = emulator.stage.world.of("amazon")[0]
        found = SimpleNamespace(ids=seller.ids, begun=seller.begun, wire=Wire(client))
        told = {**MAILBOX, **seller.ids, "api_url": f"{BASE}/amazon", "auth_url": f"{BASE}/amazon"}
        found.connector = Amazon(Binding(account="seller", url="https://weir.test", settings=told))

        (number,) = emulator.stage.world.of("whatsapp")
        asked = emulator.stage.write(emulator.stage.conversation(number), "Where is it?")
        given = emulator.stage.platforms["whatsapp"].settings(number) | {"api_url": f"{BASE}/whatsapp"}
        found.number = WhatsApp(Binding(account="number", url="https://weir.test", settings=given))
        found.chat = f"whatsapp/number/{asked.conversation}"
        found.written = lambda: [one for one in number.messages() if one.direction == "out"]

        (stall,) = emulator.stage.world.of("lazada")
        wrote = emulator.stage.write(emulator.stage.conversation(stall), "Where is it?", order=SALE)
        given = emulator.stage.platforms["lazada"].settings(stall) | {"api_url": f"{BASE}/lazada"}
        found.stall = Lazada(Binding(account="stall", url="https://weir.test", settings=given))
        found.session = f"lazada/stall/{wrote.conversation}"
        found.told = lambda: [one for one in stall.messages() if one.direction == "out"]

        async def find(platform, account):
            if platform == "lazada":
                return found.stall
            if platform == "whatsapp":
                return found.number
            return found.connector if (platform, account) == ("amazon", "seller") else Postal(found.connector.binding)

        files = FolderFiles(data_dir / "files")
        services.replies = Replies(store, gateway, find, files=files)
        services.typed = TypedActions(store, gateway, services.replies, find, lambda _: found.wire, files=files)
        services.recalls = Recalls(store, gateway, services.replies, find, lambda _: found.wire)
        services.outgoing_files = OutgoingFiles(files)
        letters = about(gateway, "c1", ODD, platform="postal", account="office-1")
        chat = about(gateway, asked.conversation, None, platform="whatsapp", account="number")
        sale = about(gateway, wrote.conversation, SALE, platform="lazada", account="stall")
        found.keep = Flushes(store)
        await found.keep(about(gateway, "c1", ODD), about(gateway, "c2", None), letters, chat, sale)
        yield found


def about(gateway, conversation, order, platform="amazon", account="seller"):
    return stored(
        f"m of {conversation}",
        conversation,
        platform=platform,
        account=account,
        at=gateway.now(),
        text="Where is it?",
        order=order,
        sender=Sender(id="buyer", role="customer"),
    )


def posting(client, key="k-1", path=PATH, **body):
    return client.post(path, json=body, headers={"Idempotency-Key": key})


@pytest.mark.usefixtures("shop")
async def test_what_the_platform_allows_for_the_order_is_offered_with_what_it_takes(admin):
    told = (await admin.get(PATH)).json()
    assert told["order"] == ODD
    assert {one["kind"] for one in told["items"]} == {
        "confirmDeliveryDetails",
        "confirmOrderDetails",
        "unexpectedProblem",
    }
    assert {(one["text"], one["most"]) for one in told["items"]} == {(2_000, 0)}
    after = (await admin.get(PATH, params={"order": EVEN})).json()
    assert {(one["kind"], one["least"], one["most"]) for one in after["items"]} >= {("invoice", 1, 5)}
    assert told["lang"] == "de-DE"
    assert (await admin.get(PATH, params={"order": NONE})).json()["items"] == []


async def test_a_message_is_begun_once_however_often_it_is_asked_for_and_stands_in_the_conversation(
    shop, admin, store, logged
):
    first = await posting(admin, kind="confirmOrderDetails", text="Is it the blue one?")
    assert (first.status_code, first.json()["state"]) == (202, "sent"), first.text
    again = await posting(admin, kind="confirmOrderDetails", text="Is it the blue one?")
    assert again.json() == first.json()
    assert shop.begun == [{"order": ODD, "kind": "confirmOrderDetails", "text": "Is it the blue one?", "files": []}]
    other = await posting(admin, kind="unexpectedProblem", text="Is it the blue one?")
    assert other.status_code == 409
    message, receipt = await logged()
    assert isinstance(message, Message)
    assert (message.conversation, message.direction, message.order) == ("c1", "out", ODD)
    assert isinstance(receipt, Receipt)
    assert (receipt.message, receipt.status) == (first.json()["message"], "accepted")
    row = await store.reply(first.json()["message"])
    assert (row.state, row.kind, row.told) == ("sent", "confirmOrderDetails", True)
    assert [one.what for one in (await store.audit(5)).items].count("reply.begun") == 1


async def test_files_go_to_where_the_platform_wants_them(shop, admin):
    kept = await admin.post("/api/v1/files", params={"name": "invoice.pdf"}, content=b"%PDF-1.4 invoice")
    assert kept.status_code == 201, kept.text
    file = {name: kept.json()[name] for name in ("digest", "name", "mime")}
    begun = await posting(admin, kind="invoice", order=EVEN, files=[file])
    assert (begun.status_code, begun.json()["state"]) == (202, "sent"), begun.text
    assert shop.begun == [{"order": EVEN, "kind": "invoice", "text": None, "files": ["invoice.pdf"]}]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"kind": "invoice", "order": EVEN}, "files"),
        ({"kind": "unexpectedProblem", "text": "x" * 2_001}, "text"),
        ({"kind": "warranty", "text": "", "order": ODD}, "files"),
    ],
)
async def test_what_a_kind_does_not_take_fails_with_the_reason_and_is_never_retried(shop, admin, ask, code):
    begun = (await posting(admin, **ask)).json()
    assert (begun["state"], begun["code"]) == ("failed", code)
    assert shop.begun == []
    retried = await admin.post(f"/api/v1/outbox/{begun['message']}/retry", json={})
    assert retried.status_code == 409
    assert "begin a new one" in retried.json()["detail"]


async def test_a_lost_answer_is_shown_as_perhaps_sent_and_not_sent_again(shop, admin):
    shop.wire.lose = True
    begun = (await posting(admin, kind="unexpectedProblem", text="We are late.")).json()
    assert begun["state"] == "unknown"
    assert (await posting(admin, kind="unexpectedProblem", text="We are late.")).json()["state"] == "unknown"
    assert len(shop.begun) == 1
    settled = await admin.post(f"/api/v1/outbox/{begun['message']}/settle", json={"sent": True})
    assert settled.json()["state"] == "sent"


async def test_consent_that_is_gone_says_so(shop, admin):
    shop.ids["lwa_refresh_token"] = "another"
    told = await admin.get(PATH)
    assert told.status_code == 409
    assert "authorise the app anew" in told.json()["detail"]


@pytest.mark.usefixtures("shop")
async def test_where_there_is_no_order_or_no_such_platform_it_is_said(admin):
    path = "/api/v1/conversations/amazon/seller/c2/actions"
    assert (await admin.get(path)).json() == {"order": None, "lang": None, "items": [], "why_not": "no_order"}
    begun = await posting(admin, path=path, kind="invoice")
    assert begun.status_code == 422, begun.text
    other = "/api/v1/conversations/postal/office-1/c1/actions"
    assert (await admin.get(other)).json() == {"order": None, "lang": None, "items": [], "why_not": "no_kinds"}
    begun = await posting(admin, path=other, kind="invoice")
    assert begun.status_code == 409
    assert "answer the customer instead" in begun.json()["detail"]
    assert (await admin.get("/api/v1/conversations/amazon/seller/none/actions")).status_code == 404


@pytest.mark.usefixtures("shop")
async def test_who_may_not_reply_may_not_begin_anything(as_role):
    viewer = await as_role("viewer")
    assert (await viewer.get(PATH)).status_code == 403
    assert (await posting(viewer, kind="unexpectedProblem", text="x")).status_code == 403


async def test_approved_words_are_offered_and_the_platform_is_not_asked_for_them_each_time(shop, admin):
    for _ in range(3):
        told = (await admin.get(f"/api/v1/conversations/{shop.chat}/actions")).json()
    assert [(one["kind"], one["blanks"]) for one in told["items"]] == [
        ("order_on_its_way/en_US", ["HEAD_1", "1", "2"]),
        ("back_soon/es", ["first_name"]),
        ("hello_again/en_US", []),
        ("with_a_picture/en_US", []),
        ("follow_it/en_US", ["1", "BUTTON_1", "CODE_2"]),
    ]
    assert [(one["media"], one["least"], one["most"]) for one in told["items"]] == [
        *[(None, 0, 0)] * 3,
        ("image", 1, 1),
        (None, 0, 0),
    ]
    assert told["items"][1]["words"] == "Hola {{first_name}}, le respondemos en seguida."
    assert sum("/message_templates" in url for url in shop.wire.asked) == 1


async def test_approved_words_are_sent_once_and_stand_in_the_conversation_as_the_customer_reads_them(
    shop, admin, store, logged
):
    path = f"/api/v1/conversations/{shop.chat}/actions"
    for _ in range(2):
        begun = await posting(admin, path=path, kind="back_soon/es", blanks={"first_name": "Ana"})
        assert (begun.status_code, begun.json()["state"]) == (202, "sent"), begun.text
    (held,) = shop.written()
    assert held.text == "Hola Ana, le respondemos en seguida."
    row = await store.reply(begun.json()["message"])
    assert (row.text, row.kind, row.platform_message) == (held.text, "back_soon/es", held.id)
    message, receipt = await logged()
    assert (message.text, message.direction, receipt.status) == (held.text, "out", "accepted")


async def test_a_template_with_a_picture_goes_out_with_it_and_shows_it(shop, admin, logged):
    path = f"/api/v1/conversations/{shop.chat}/actions"
    kept = await admin.post("/api/v1/files", params={"name": "it.png"}, content=png(9))
    assert kept.status_code == 201, kept.text
    picture = {name: kept.json()[name] for name in ("digest", "name", "mime")}
    begun = await posting(admin, path=path, kind="with_a_picture/en_US", files=[picture])
    assert (begun.status_code, begun.json()["state"]) == (202, "sent"), begun.text
    (held,) = shop.written()
    assert (held.text, held.media is not None) == ("This is what it looks like.", True)
    message, _ = await logged()
    assert [one.mime for one in message.attachments] == ["image/png"]
    other = await posting(admin, "k-2", path, kind="with_a_picture/en_US", files=[picture | {"mime": "text/plain"}])
    assert (other.json()["state"], other.json()["code"]) == ("failed", "files")
    assert shop.written() == [held]


FILE = {"digest": "0" * 64, "name": "a.png", "mime": "image/png"}


@pytest.mark.parametrize(
    ("ask", "about"),
    [
        ({"kind": "with_a_picture/en_US"}, "one file"),
        ({"kind": "hello_again/en_US", "files": [FILE]}, "no files"),
        ({"kind": "back_soon/es"}, "first_name"),
        ({"kind": "back_soon/es", "blanks": {"first_name": " "}}, "first_name"),
        ({"kind": "hello_again/en_US", "blanks": {"more": "x"}}, "nothing"),
        ({"kind": "hello_again/en_US", "text": "and more"}, "no other text"),
        ({"kind": "still_looked_at/en_US", "blanks": {"1": "Ana"}}, "no template that is approved"),
        ({"kind": "invoice"}, "no template that is approved"),
    ],
)
async def test_words_that_are_not_approved_or_not_filled_in_are_refused(shop, admin, ask, about):
    refused = await posting(admin, path=f"/api/v1/conversations/{shop.chat}/actions", **ask)
    assert refused.status_code == 422, refused.text
    assert about in refused.json()["detail"]
    assert shop.written() == []


async def test_a_value_that_the_platform_would_refuse_fails_with_the_reason(shop, admin):
    path = f"/api/v1/conversations/{shop.chat}/actions"
    begun = (await posting(admin, path=path, kind="back_soon/es", blanks={"first_name": "two\nlines"})).json()
    assert (begun["state"], begun["code"]) == ("failed", "blanks")
    assert shop.written() == []


async def test_a_message_that_the_platform_names_is_known_by_that_name(shop, admin, store, logged):
    path = f"/api/v1/conversations/{shop.session}/actions"
    told = (await admin.get(path)).json()
    assert (told["order"], told["lang"], told["why_not"]) == (SALE, None, None)
    assert [(one["kind"], one["text"]) for one in told["items"]] == [
        ("orderMessage", 2_000),
        ("orderCard", None),
        ("productCard", 30),
        ("couponCard", 30),
    ]
    begun = await posting(admin, path=path, kind="orderCard")
    assert (begun.status_code, begun.json()["state"]) == (202, "sent"), begun.text
    (held,) = shop.told()
    row = await store.reply(begun.json()["message"])
    assert (row.kind, row.platform_message) == ("orderCard", held.id)
    message, _ = await logged()
    assert (message.text, message.order, message.extra) == (None, SALE, {"kind": "orderCard"})


async def test_an_order_that_the_platform_does_not_know_fails_and_nothing_is_sent(shop, admin):
    path = f"/api/v1/conversations/{shop.session}/actions"
    begun = (await posting(admin, path=path, kind="orderCard", order="1")).json()
    assert (begun["state"], shop.told()) == ("failed", [])


async def taken_back(client, reply):
    return await client.post(f"/api/v1/outbox/{reply}/recall", json={})


async def carded(shop, admin):
    """A card that went out on Lazada: its id here, and as the platform holds it."""
    begun = await posting(admin, path=f"/api/v1/conversations/{shop.session}/actions", kind="orderCard")
    return begun.json()["message"], shop.told()[-1]


async def test_a_message_that_was_sent_is_taken_back_and_everybody_can_see_by_whom(shop, admin, store, logged):
    reply, held = await carded(shop, admin)
    answered = await taken_back(admin, reply)
    assert (answered.status_code, answered.json()["platform_message"]) == (200, held.id)
    assert held.status == "recalled"
    (gone,) = [one for one in await logged() if isinstance(one, Delete)]
    assert (gone.message, gone.event) == (reply, f"{held.conversation}/{held.id}/recalled")
    (audit,) = (await store.audit(10, what="reply.recalled")).items
    assert (audit.subject, audit.after) == (f"reply {reply}", {"message": held.id})


async def test_what_was_taken_back_already_is_not_asked_for_again(shop, admin, gateway):
    reply, held = await carded(shop, admin)
    platform, account, conversation = shop.session.split("/")
    at = gateway.now()
    ours = stored(reply, conversation, platform=platform, account=account, at=at, direction="out", text=None)
    await shop.keep(ours, HopReached(shop.session, reply, "deleted", at))
    answered = await taken_back(admin, reply)
    assert (answered.status_code, held.status) == (409, "held")
    assert "already" in answered.json()["detail"]


async def test_nothing_is_taken_back_after_the_platforms_time(shop, admin, store):
    reply, held = await carded(shop, admin)
    row = await store.reply(reply)
    earlier = replace(row, claimed_at=row.claimed_at - SPANS["lazada"] - 1, version=row.version + 1)
    assert await store.change_reply(earlier, replaces=row.version)
    answered = await taken_back(admin, reply)
    assert (answered.status_code, "120 s only" in answered.json()["detail"]) == (409, True)
    assert held.status != "recalled"


async def test_what_the_platform_does_not_take_back_says_why_and_nothing_is_told(shop, admin, logged):
    reply, held = await carded(shop, admin)
    held.at -= SPANS["lazada"] + 1
    answered = await taken_back(admin, reply)
    assert (answered.status_code, "cannot be recalled" in answered.json()["detail"]) == (409, True)
    assert [one for one in await logged() if isinstance(one, Delete)] == []


async def test_a_platform_that_takes_nothing_back_is_not_asked(shop, admin):
    begun = (await posting(admin, kind="confirmOrderDetails", text="Is it the blue one?")).json()
    asked = len(shop.wire.asked)
    answered = await taken_back(admin, begun["message"])
    assert (answered.status_code, len(shop.wire.asked)) == (409, asked)
    assert "takes nothing back" in answered.json()["detail"]


async def test_only_who_may_answer_takes_back_and_only_what_was_sent(shop, admin, as_role):
    reply, held = await carded(shop, admin)
    assert (await taken_back(await as_role("viewer"), reply)).status_code == 403
    assert (await taken_back(admin, "weir-none")).status_code == 404
    path = f"/api/v1/conversations/{shop.session}/actions"
    failed = await posting(admin, path=path, kind="orderCard", order="1", key="k-2")
    answered = await taken_back(admin, failed.json()["message"])
    assert (answered.status_code, "is failed" in answered.json()["detail"]) == (409, True)
    assert held.status != "recalled"
