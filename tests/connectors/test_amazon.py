"""Amazon's relay mails, the answers to them, notifications of orders, and messages that a seller begins."""

from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.events import Message, Receipt
from actors.intake import parse_event
from actors.orders import Order
from connectors.amazon.connector import Amazon
from connectors.contract.calling import ApiResponse, DeniedError, RefusedError
from connectors.contract.connector import SignatureError, UnreadableError, WebhookRequest
from connectors.contract.history import Pointer
from connectors.contract.outgoing import Outgoing, OutgoingFile
from connectors.contract.typed import Beginning
from connectors.email.composing import composed
from connectors.email.reading import Place
from tests.connectors.mailing import bound, written
from tests.connectors.mutations import HOSTILE
from tests.connectors.scripted_api import ScriptedApi
from tests.connectors.test_email_reading import NOON, SENT, Memory

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
QUEUED = {"queue_url": QUEUE, "queue_access_key": "AKIDEXAMPLE", "queue_secret_key": "a very secret key"}
ORDER = "114-1234567-7654321"
BUYER = "abc123def456gh7@marketplace.amazon.de"
OWN = "seller@shop.example"
CASE = "0f8fad5b-d9cb-469f-a165-70867728950e"
LINK = "https://sellercentral.amazon.de/messaging/no-response-needed?t=1&m=A1&mp=M1&c=2&h=3&s=1"
RELAYED = f"""You have received a message.

Order ID {ORDER}:
------------- Message: -------------

Where is my parcel?
It is late.

------------- End message -------------

No response needed? {LINK}
Report: https://sellercentral.amazon.de/report?cc={CASE}
[commMgrTok:A1B2C3D4]
"""
SETTINGS = {
    "address": OWN,
    "password": "x",
    "imap_host": "127.0.0.1",
    "smtp_host": "127.0.0.1",
    "marketplace_id": "A1PA6795UKMFR9",
    "region": "eu",
    "lwa_client_id": "client",
    "lwa_client_secret": "word",
    "lwa_refresh_token": "consent",
    "bus_key": "the key of the bus",
}


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def seller(memory):
    return bound(SETTINGS, kind=Amazon.with_threads(memory))


def relayed(text=RELAYED, *, sender=f"Bo B. - Amazon Marketplace <{BUYER}>", **headers):
    given = {
        "X_Space_Notification_Type": "BBC_MESSAGE_SENT_TO_MERCHANT",
        "X_Marketplace_ID": "A1PA6795UKMFR9",
        "Subject": f"Shipping inquiry from Amazon customer Bo (Order: {ORDER})",
        "Auto_Submitted": "auto-generated",
    }
    return written(text, sender=sender, to=OWN, at=NOON, **(given | headers))


async def told(seller, raw, place=None):
    (message, *_) = await seller.reader().read(raw, place or Place(at=NOON))
    assert isinstance(message, Message), message
    return message


async def test_a_buyers_words_are_taken_out_of_the_relays(seller):
    message = await told(seller, relayed())
    assert message.text == "Where is my parcel?\nIt is late."
    assert (message.platform, message.direction, message.order) == ("amazon", "in", ORDER)
    assert (message.sender.id, message.sender.name, message.sender.role) == (BUYER, "Bo B.", "customer")
    assert message.extra["no_reply_needed"] == LINK
    assert (message.extra["token"], message.extra["case"]) == ("A1B2C3D4", CASE)
    assert message.extra["marketplace"] == "A1PA6795UKMFR9"
    assert "You have received" in message.extra["whole"]


async def test_words_in_the_one_preformatted_block_are_found_too(seller):
    html = f"<html><body>Order {ORDER}<pre>Wo ist\nes? &lt;3</pre><p>Amazon</p></body></html>"
    raw = relayed().replace(b'Content-Type: text/plain; charset="utf-8"', b'Content-Type: text/html; charset="utf-8"')
    head = raw.partition(b"\n\n")[0]
    message = await told(seller, head + b"\n\n" + html.encode())
    assert message.text == "Wo ist\nes? <3"


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("Message:", "End message"),
        ("Mensagem:", "Encerrar mensagem"),
        ("Mensaje:", "Finalizar mensaje"),
        ("消息", "结束"),
    ],
)
async def test_rules_are_found_in_every_language(seller, begins, ends):
    text = f"Amazon\n------------- {begins} -------------\n\nhola\n\n------------- {ends} -------------\nfoot"
    assert (await told(seller, relayed(text))).text == "hola"


async def test_a_mail_without_any_mark_is_a_message_all_the_same(seller):
    message = await told(seller, relayed("just words", X_Space_Notification_Type=None, Auto_Submitted=None))
    assert (message.text, message.sender.id, message.sender.role) == ("just words", BUYER, "customer")


async def test_a_buyer_and_an_order_are_one_conversation(seller):
    one = await told(seller, relayed())
    again = await told(seller, relayed("more", sender=f"Bo <{BUYER.replace('@', f'+{CASE}@')}>"))
    other = await told(seller, relayed("else", Subject="About 114-0000000-0000000"))
    assert one.conversation == again.conversation != other.conversation
    assert again.sender.id == BUYER
    assert again.extra["reply_to"] == BUYER.replace("@", f"+{CASE}@")


async def test_amazons_copy_of_our_answer_is_ours(seller):
    question = await told(seller, relayed())
    raw = relayed(
        RELAYED.replace("Where is my parcel?\nIt is late.", "It comes today."),
        sender="donotreply@amazon.com",
        X_Space_Notification_Type="BBC_MESSAGE_CONFIRMATION_TO_MERCHANT",
        Reply_To=BUYER,
    )
    found = await seller.reader().read(raw, Place(at=NOON))
    assert [type(one) for one in found] == [Message, Receipt]
    assert (found[0].direction, found[0].text, found[0].sender.role) == ("out", "It comes today.", "agent")
    assert found[0].conversation == question.conversation


async def test_our_own_mail_among_the_sent_ones_is_in_the_buyers_conversation(seller):
    question = await told(seller, relayed())
    raw = written("today", sender=OWN, to=BUYER.replace("@", f"+{CASE}@"), Subject=f"Re: Order {ORDER}", at=NOON)
    answer = await told(seller, raw, SENT)
    assert (answer.direction, answer.conversation) == ("out", question.conversation)


async def test_what_amazon_itself_writes_is_a_notice(seller):
    message = await told(seller, relayed("A refund was made.", sender="no-reply@amazon.de", Auto_Submitted=None))
    assert (message.sender.role, message.extra["amazon"]) == ("system", "notice")


async def test_a_mail_of_another_sender_is_one_of_any_mailbox(seller):
    message = await told(seller, written("hello", to=OWN, at=NOON))
    assert (message.sender.role, "amazon" in message.extra) == ("customer", False)


@pytest.mark.parametrize(
    "results", ["mx.shop.example; spf=fail; dkim=none", "mx.shop.example; dkim=fail", "mx.shop.example; dmarc=fail"]
)
async def test_a_forged_mail_is_set_apart(seller, results):
    genuine = await told(seller, relayed())
    message = await told(seller, relayed("Log in here", Authentication_Results=results))
    assert message.extra["suspicious"]
    assert message.sender.role == "system"
    assert message.conversation != genuine.conversation
    assert "reply_to" not in message.extra


async def test_only_our_own_mail_servers_findings_count(memory):
    seller = bound(SETTINGS | {"mail_server": "mx.shop.example"}, kind=Amazon.with_threads(memory))
    forged = await told(seller, relayed(Authentication_Results="mx.evil.example; dkim=pass; dmarc=pass"))
    genuine = await told(seller, relayed(Authentication_Results="mx.shop.example; dkim=pass header.d=amazon.de"))
    assert "suspicious" in forged.extra
    assert "suspicious" not in genuine.extra
    assert "suspicious" in (await told(seller, relayed())).extra


@pytest.mark.parametrize(
    ("text", "code"),
    [("see https://shop.example", "forbidden_links"), ("mail me at a@b.example", "forbidden_emails"), ("fine", None)],
)
def test_what_amazon_forbids_is_objected_to(seller, text, code):
    message = Outgoing(id="weir-1", conversation="c", at=NOON, text=text, recipient=BUYER)
    assert [one.code for one in seller.objections(message, NOON)] == ([code] if code else [])


def test_files_are_held_to_ten_megabytes_together(seller):
    def file(size):
        return OutgoingFile(name="a.pdf", mime="application/pdf", size=size, digest="d", read=None)

    message = Outgoing(id="weir-1", conversation="c", at=NOON, text="x", recipient=BUYER, files=[file(11 * 2**20)])
    assert [one.code for one in seller.objections(message, NOON)] == ["file_too_large"]
    message = msgspec.structs.replace(message, files=[file(6 * 2**20)] * 2)
    assert [one.code for one in seller.objections(message, NOON)] == ["mail_too_large"]


async def test_an_answer_goes_to_the_address_that_asked(seller):
    alias = BUYER.replace("@", f"+{CASE}@")
    message = Outgoing(
        id="weir-1", conversation="c", at=NOON, text="x", recipient=BUYER, subject="Inquiry", extra={"reply_to": alias}
    )
    mail = await composed(message, seller.mail)
    assert (mail["To"], mail["Subject"], mail["Reply-To"]) == (alias, "Re: Inquiry", None)


CHANGE = {
    "NotificationVersion": "1.0",
    "NotificationType": "ORDER_CHANGE",
    "EventTime": "2026-01-11T00:09:53.109Z",
    "Payload": {
        "OrderChangeNotification": {
            "AmazonOrderId": ORDER,
            "OrderChangeType": "BuyerRequestedChange",
            "OrderChangeTrigger": {
                "TimeOfOrderChange": "2026-01-11T00:09:00Z",
                "ChangeReason": "Buyer Requested Cancel",
            },
            "Summary": {"OrderStatus": "Unshipped", "OrderItems": [{"SellerSKU": "S 1", "Quantity": 2}]},
        }
    },
    "NotificationMetadata": {"NotificationId": "n-1"},
}


def pushed(body, key="the key of the bus"):
    return WebhookRequest(method="POST", headers={"x-api-key": key}, body=json.dumps(body).encode())


@pytest.mark.parametrize("body", [CHANGE, {"detail-type": "ORDER_CHANGE", "detail": CHANGE}])
async def test_a_buyers_wish_for_a_cancellation_is_told_in_their_conversation(seller, memory, body):
    request = pushed(body)
    seller.verify(request)
    (pointer,) = seller.parse(request)
    assert isinstance(pointer, Pointer)
    order, wish = await seller.resolve(pointer, ScriptedApi())
    assert isinstance(order, Order)
    assert (order.id, order.status, order.updated_at) == (ORDER, "Unshipped", 1_768_090_140_000)
    assert [(item.sku, item.quantity) for item in order.items] == [("S 1", 2)]
    assert (wish.text, wish.sender.role, wish.order) == (f"Buyer Requested Cancel (order {ORDER})", "system", ORDER)
    assert parse_event(msgspec.json.encode(wish), need_at=False) == wish
    assert memory.asked[-1].order == ORDER


def test_other_notifications_tell_nothing(seller):
    assert seller.parse(pushed({"NotificationType": "ANY_OFFER_CHANGED"})) == ()


@pytest.mark.parametrize("key", ["", " ", "another"])
def test_a_notification_without_the_key_is_not_taken(seller, key):
    with pytest.raises(SignatureError):
        seller.verify(pushed(CHANGE, key))
    with pytest.raises(SignatureError, match="empty"):
        bound(SETTINGS | {"bus_key": key if not key.strip() else ""}, kind=Amazon).verify(pushed(CHANGE, key))


@HOSTILE
@given(body=st.recursive(st.none() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)))
def test_no_notification_trips_the_reader_up(body):
    seller = bound(SETTINGS, kind=Amazon)
    for shape in (body, CHANGE | {"Payload": body}, CHANGE | {"NotificationMetadata": body}):
        try:
            seller.parse(pushed(shape))
        except UnreadableError:
            continue


TOKEN = ApiResponse(status=200, body=b'{"access_token":"t0k3n","expires_in":3600}')
HOST = "https://sellingpartnerapi-eu.amazon.com"


def for_token(request):
    return request.url == "https://api.amazon.com/auth/o2/token" and b"refresh_token=consent" in request.body


async def test_the_kinds_of_messages_that_an_order_allows_are_asked_for(seller):
    links = {"_links": {"actions": [{"href": "/x", "name": "warranty"}, {"href": "/y", "name": "unheardOf"}]}}

    def for_actions(request):
        assert request.headers["x-amz-access-token"] == "t0k3n"
        assert list(request.query) == [("marketplaceIds", "A1PA6795UKMFR9")]
        return request.url == f"{HOST}/messaging/v1/orders/{ORDER}"

    api = ScriptedApi((for_token, TOKEN), (for_actions, ApiResponse(status=200, body=json.dumps(links).encode())))
    assert await seller.actions(ORDER, api) == ["warranty"]
    api.finished()


async def test_a_message_that_we_begin_is_sent(seller):
    def sent(request):
        assert json.loads(request.body) == {"text": "Is it the blue one?"}
        return request.url == f"{HOST}/messaging/v1/orders/{ORDER}/messages/confirmOrderDetails"

    api = ScriptedApi((for_token, TOKEN), (sent, ApiResponse(status=201)))
    await seller.act(Beginning(order=ORDER, kind="confirmOrderDetails", text="Is it the blue one?"), api)
    api.finished()


async def test_files_are_put_where_amazon_wants_them_before_the_message_names_them(seller):
    content = b"%PDF invoice"

    async def read():
        yield content

    digest = hashlib.sha256(content).hexdigest()
    file = OutgoingFile(name="invoice.pdf", mime="application/pdf", size=12, digest=digest, read=read)
    place = {"payload": {"uploadDestinationId": "u-1", "url": "https://s3.example/put", "headers": {"x-a": "b"}}}
    api = ScriptedApi(
        (for_token, TOKEN),
        (lambda r: "/uploads/2020-11-01/uploadDestinations/messaging/v1/orders" in r.url, answer(place, 201)),
        (lambda r: (r.method, r.url, r.body) == ("PUT", "https://s3.example/put", content), ApiResponse(status=200)),
        (for_token, TOKEN),
        (
            lambda r: (
                json.loads(r.body) == {"attachments": [{"uploadDestinationId": "u-1", "fileName": "invoice.pdf"}]}
            ),
            ApiResponse(status=201),
        ),
    )
    await seller.act(Beginning(order=ORDER, kind="invoice", files=[file]), api)
    api.finished()


def answer(body, status=200):
    return ApiResponse(status=status, body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("kind", "text"),
    [("warranty", ""), ("invoice", "words"), ("digitalAccessKey", "x" * 401), ("unexpectedProblem", "")],
)
async def test_what_a_kind_does_not_take_is_refused_before_anything_is_asked(seller, kind, text):
    api = ScriptedApi()
    with pytest.raises(RefusedError, match=kind):
        await seller.act(Beginning(order=ORDER, kind=kind, text=text), api)
    api.finished()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Write to ana@example.com", "forbidden_emails"),
        ("<b>Dear</b> Ana", "markup"),
        ('See <a href="https://example.com">here</a>', "markup"),
        ("Dear Ana<br/>we are late", "markup"),
    ],
)
async def test_addresses_and_markup_are_refused_before_anything_is_asked(seller, text, code):
    api = ScriptedApi()
    with pytest.raises(RefusedError) as refused:
        await seller.act(Beginning(order=ORDER, kind="unexpectedProblem", text=text), api)
    assert refused.value.code == code
    api.finished()


async def test_what_only_looks_like_markup_goes_out(seller):
    text = "Is it 3 < 4 > 2, or <3?"
    api = ScriptedApi((for_token, TOKEN), (lambda r: json.loads(r.body) == {"text": text}, ApiResponse(status=201)))
    await seller.act(Beginning(order=ORDER, kind="unexpectedProblem", text=text), api)
    api.finished()


async def test_a_consent_that_is_gone_is_denied(seller):
    api = ScriptedApi((for_token, ApiResponse(status=400, body=b'{"error":"invalid_grant"}')))
    with pytest.raises(DeniedError):
        await seller.actions(ORDER, api)
