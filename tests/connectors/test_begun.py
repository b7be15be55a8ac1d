"""Messages about an order that sellers begin on Lazada, TikTok Shop, Shopee and Mercado Libre: what is asked."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest

from connectors.contract.calling import RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Binding
from connectors.contract.outgoing import OutgoingFile
from connectors.contract.typed import Beginning, Place
from connectors.lazada import Lazada
from connectors.mercadolibre import MercadoLibre
from connectors.shopee import Shopee
from connectors.tiktok import TikTok
from tests.connectors.scripted_api import ScriptedApi, answer_of

ORDER = "465423342423"
SESSION, TALK, PACK = "100_2_200_1_103", "7494560109732334261", "2000000012"
SECRETS = {
    "lazada": {"app_key": "1", "app_secret": "s", "access_token": "t", "country": "sg"},
    "tiktok": {"app_key": "1", "app_secret": "s", "access_token": "t", "shop_cipher": "c"},
    "shopee": {"partner_id": "1", "partner_key": "s", "access_token": "t", "shop_id": "2", "push_key": "p"},
    "mercadolibre": {"seller_id": "9", "access_token": "t", "client_id": "1", "webhook_key": "w", "reasons": "yes"},
}
KINDS = {"lazada": Lazada, "tiktok": TikTok, "shopee": Shopee, "mercadolibre": MercadoLibre}
PLACES = {
    "lazada": Place(conversation=SESSION, customer="200"),
    "tiktok": Place(conversation=TALK, customer="7"),
    "shopee": Place(conversation="709", customer="501"),
    "mercadolibre": Place(conversation=PACK, customer="441"),
}
OPENED = answer_of({"code": "0", "session_id": SESSION})
SENT = answer_of({"code": "0", "err_code": "0", "success": True, "data": {"message_id": "m1", "current_time": 1}})
BUYER = answer_of({"code": 0, "data": {"orders": [{"id": ORDER, "user_id": "7494560109732338459"}]}})
TALKING = answer_of({"code": 0, "data": {"conversation_id": TALK}})
WRITTEN = answer_of({"code": 0, "data": {"message_id": "m2"}})
CARD = answer_of({"error": "", "response": {"message_id": "m3"}})
OPTIONS = answer_of(
    {
        "options": [
            {"id": "OTHER", "enabled": True, "type": "free_text", "templates": None, "cap_available": 1},
            {"id": "SEND_INVOICE_LINK", "enabled": True, "type": "free_text", "cap_available": 0},
            {"id": "DELIVERY_PROMISE", "enabled": True, "type": "TEMPLATE", "templates": [], "cap_available": 1},
            {
                "id": "REQUEST_BILLING_INFO",
                "enabled": True,
                "type": "template",
                "templates": [{"id": "TEMPLATE___REQUEST_BILLING_INFO___1", "vars": None}],
                "cap_available": 1,
            },
            {"id": "REQUEST_VARIANTS", "enabled": False, "type": "template", "templates": [], "cap_available": 1},
        ]
    }
)
CREATED = answer_of({"id": "m4", "status": "available", "message_moderation": {"status": "clean"}})
MODERATED = answer_of(
    {"id": "m4", "status": "moderated", "message_moderation": {"status": "rejected", "reason": "language"}}
)


def bound(platform, **settings):
    return KINDS[platform](Binding(account="a", url="https://weir.test", settings=SECRETS[platform] | settings))


def begin(platform, kind, api, order=ORDER, **more):
    return bound(platform).act(Beginning(order=order, kind=kind, **{"place": PLACES[platform], **more}), api)


def form(path, **fields):
    """Expects a form of Lazada's."""

    def holds(request):
        assert (request.method, request.url) == ("POST", f"https://api.lazada.sg/rest{path}")
        assert dict(parse_qsl(request.body.decode())) == fields

    return holds


def posted(end, **body):
    """Expects a JSON body, at an address that ends so."""

    def holds(request):
        assert request.method == "POST"
        assert request.url.endswith(end)
        assert json.loads(request.body) == body

    return holds


def got(end, *query):
    def holds(request):
        assert (request.method, request.url.endswith(end)) == ("GET", True)
        assert set(query) <= set(request.query)

    return holds


@pytest.mark.parametrize(
    ("kind", "text", "content"),
    [
        ("orderMessage", "It left today", {"template_id": "1", "txt": "It left today"}),
        ("orderCard", "", {"template_id": "10007", "order_id": ORDER}),
        ("productCard", "1762013406", {"template_id": "10006", "item_id": "1762013406"}),
        ("couponCard", "91471122422003", {"template_id": "10008", "promotion_id": "91471122422003"}),
    ],
)
async def test_lazada_opens_the_orders_session_and_writes_there(kind, text, content):
    api = ScriptedApi(
        (form("/im/session/open", order_id=ORDER), OPENED),
        (form("/im/message/send", session_id=SESSION, **content), SENT),
    )
    assert await begin("lazada", kind, api, text=text) == "m1"
    api.finished()


async def test_lazadas_session_may_stand_in_the_data_too():
    opened = answer_of({"code": "0", "success": True, "data": {"session_id": SESSION}})
    api = ScriptedApi((form("/im/session/open", order_id=ORDER), opened), (lambda _: True, SENT))
    assert await begin("lazada", "orderCard", api) == "m1"
    api.finished()


@pytest.mark.parametrize("error", [{"code": "-22"}, {"code": "0", "err_code": "-22", "success": False}])
async def test_an_order_that_is_too_old_for_lazada_says_so(error):
    told = answer_of({**error, "message": "order out of day limit: 30"})
    api = ScriptedApi((form("/im/session/open", order_id=ORDER), told))
    with pytest.raises(RefusedError, match="30 days") as refused:
        await begin("lazada", "orderMessage", api, text="Hello")
    assert refused.value.code == "order_too_old"
    api.finished()


@pytest.mark.parametrize(
    ("kind", "text", "type_", "content"),
    [
        ("orderMessage", "It left today", "TEXT", {"content": "It left today"}),
        ("orderCard", "", "ORDER_CARD", {"order_id": ORDER}),
        ("parcelCard", "", "LOGISTICS_CARD", {"order_id": ORDER}),
        ("productCard", "749", "PRODUCT_CARD", {"product_id": "749"}),
        ("couponCard", "726", "COUPON_CARD", {"coupon_id": "726"}),
    ],
)
async def test_tiktok_opens_the_conversation_with_an_orders_buyer(kind, text, type_, content):
    def sent(request):
        told = json.loads(request.body)
        assert request.url.endswith(f"/conversations/{TALK}/messages")
        assert (told["type"], json.loads(told["content"])) == (type_, content)

    api = ScriptedApi(
        (got("/order/202309/orders", ("ids", ORDER)), BUYER),
        (posted("/customer_service/202309/conversations", buyer_user_id="7494560109732338459"), TALKING),
        (sent, WRITTEN),
    )
    assert await begin("tiktok", kind, api, text=text) == "m2"
    api.finished()


async def test_an_order_that_tiktok_does_not_know_begins_nothing():
    api = ScriptedApi((got("/orders"), answer_of({"code": 0, "data": {"orders": []}})))
    with pytest.raises(RefusedError, match="no order") as refused:
        await begin("tiktok", "orderCard", api)
    assert refused.value.code == "no_order"
    api.finished()


@pytest.mark.parametrize(
    ("platform", "steps"),
    [("lazada", [(lambda _: True, OPENED)]), ("tiktok", [(got("/orders"), BUYER), (lambda _: True, TALKING)])],
)
async def test_an_order_of_another_customer_is_not_written_about_here(platform, steps):
    api = ScriptedApi(*steps)
    with pytest.raises(RefusedError, match="another customer's") as refused:
        await begin(platform, "orderCard", api, place=Place(conversation="another", customer="1"))
    assert refused.value.code == "other_customer"
    api.finished()


@pytest.mark.parametrize(
    ("kind", "text", "type_", "content"),
    [
        ("orderCard", "", "order", {"order_sn": "260611ABCD123"}),
        ("productCard", "2203", "item", {"item_id": 2203}),
    ],
)
async def test_shopee_sends_cards_to_the_customer_of_the_conversation(kind, text, type_, content):
    sent = posted("/api/v2/sellerchat/send_message", to_id=501, message_type=type_, content=content)
    api = ScriptedApi((sent, CARD))
    assert await begin("shopee", kind, api, order="260611ABCD123", text=text) == "m3"
    api.finished()


@pytest.mark.parametrize("place", [None, Place(conversation="709"), Place(conversation="709", customer="who")])
async def test_shopee_sends_no_card_to_nobody(place):
    with pytest.raises(RefusedError, match="buyer's number"):
        await begin("shopee", "orderCard", ScriptedApi(), order="260611ABCD123", place=place)


async def test_mercado_libre_is_asked_for_the_reasons_of_the_pack():
    guide = got(f"/messages/action_guide/packs/{PACK}", ("tag", "post_sale"))
    api = ScriptedApi((guide, OPTIONS))
    assert await bound("mercadolibre").actions("2000000099", api, place=PLACES["mercadolibre"]) == [
        "REQUEST_BILLING_INFO",
        "OTHER",
    ]
    api.finished()


async def test_a_sale_without_a_pack_is_asked_for_by_its_order():
    api = ScriptedApi((got(f"/messages/action_guide/packs/{ORDER}"), OPTIONS))
    assert await bound("mercadolibre").actions(ORDER, api)
    api.finished()


async def test_a_reason_in_mercado_libres_own_words_names_its_template():
    template = {"option_id": "REQUEST_BILLING_INFO", "template_id": "TEMPLATE___REQUEST_BILLING_INFO___1"}
    api = ScriptedApi(
        (got(f"/packs/{PACK}"), OPTIONS), (posted(f"/action_guide/packs/{PACK}/option", **template), CREATED)
    )
    assert await begin("mercadolibre", "REQUEST_BILLING_INFO", api) == "m4"
    api.finished()


async def test_a_reason_in_the_sellers_words_is_sent_with_them():
    said = {"option_id": "OTHER", "text": "Preciso de um dado"}
    api = ScriptedApi((posted(f"/action_guide/packs/{PACK}/option", **said), CREATED))
    assert await begin("mercadolibre", "OTHER", api, text="Preciso de um dado") == "m4"
    api.finished()


async def test_a_reason_that_is_used_up_or_whose_words_are_moderated_is_refused():
    api = ScriptedApi((got(f"/packs/{PACK}"), OPTIONS))
    with pytest.raises(RefusedError, match="no more"):
        await begin("mercadolibre", "REQUEST_VARIANTS", api)
    api.finished()
    with pytest.raises(RefusedError, match="moderation"):
        await begin("mercadolibre", "OTHER", ScriptedApi((lambda _: True, MODERATED)), text="x")


@pytest.mark.parametrize(("settings", "conversation"), [({"reasons": "no"}, PACK), ({"reasons": "yes"}, "question-77")])
async def test_nothing_is_begun_without_the_setting_or_at_a_question(settings, conversation):
    connector, place = bound("mercadolibre", **settings), Place(conversation=conversation)
    assert await connector.actions(ORDER, ScriptedApi(), place=place) == ()
    with pytest.raises(RefusedError, match="`reasons`"):
        await connector.act(Beginning(order=ORDER, kind="OTHER", text="x", place=place), ScriptedApi())


@pytest.mark.parametrize(
    ("platform", "kind", "text", "order", "code"),
    [
        ("lazada", "orderMessage", "", ORDER, "text"),
        ("lazada", "orderMessage", "x" * 2_001, ORDER, "text"),
        ("lazada", "orderCard", "more", ORDER, "text"),
        ("lazada", "productCard", "12a", ORDER, "number"),
        ("lazada", "orderCard", "", "A-1", "number"),
        ("lazada", "invoice", "", ORDER, "kind"),
        ("tiktok", "orderMessage", " ", ORDER, "text"),
        ("tiktok", "couponCard", "٣", ORDER, "number"),
        ("tiktok", "orderCard", "", "A-1", "number"),
        ("shopee", "productCard", "x", "260611ABCD123", "number"),
        ("shopee", "orderCard", "", "26/../1", "number"),
        ("mercadolibre", "OTHER", "x" * 351, ORDER, "text"),
        ("mercadolibre", "DELIVERY_PROMISE", "", ORDER, "kind"),
    ],
)
async def test_what_a_kind_does_not_take_is_refused_before_anything_is_asked(platform, kind, text, order, code):
    api = ScriptedApi()
    with pytest.raises(RefusedError) as refused:
        await begin(platform, kind, api, order=order, text=text)
    assert refused.value.code == code
    api.finished()


async def test_files_are_refused():
    async def read():
        yield b"x"

    file = OutgoingFile(name="a.png", mime="image/png", size=1, digest="0" * 64, read=read)
    with pytest.raises(RefusedError) as refused:
        await begin("lazada", "orderMessage", ScriptedApi(), text="x", files=[file])
    assert refused.value.code == "files"


@pytest.mark.parametrize(
    ("platform", "kind", "steps"),
    [
        ("lazada", "orderCard", []),
        ("tiktok", "orderCard", []),
        ("tiktok", "orderCard", [(got("/orders"), BUYER)]),
        ("mercadolibre", "REQUEST_BILLING_INFO", []),
    ],
)
async def test_what_fails_before_the_message_was_certainly_not_sent(platform, kind, steps):
    api = ScriptedApi(*steps, (lambda _: True, UncertainError("no answer")))
    with pytest.raises(UnreachableError):
        await begin(platform, kind, api)
    api.finished()


@pytest.mark.parametrize(
    ("platform", "kind", "steps"),
    [
        ("lazada", "orderCard", [(lambda _: True, OPENED)]),
        ("tiktok", "orderCard", [(got("/orders"), BUYER), (lambda _: True, TALKING)]),
        ("shopee", "productCard", []),
        ("mercadolibre", "OTHER", []),
    ],
)
async def test_a_message_whose_answer_is_lost_may_have_been_sent(platform, kind, steps):
    api = ScriptedApi(*steps, (lambda _: True, UncertainError("no answer")))
    with pytest.raises(UncertainError) as lost:
        await begin(platform, kind, api, text="" if kind == "orderCard" else "123")
    assert not isinstance(lost.value, UnreachableError)
    api.finished()


async def test_nobody_tells_the_buyers_language():
    for platform in KINDS:
        assert await bound(platform).language(ORDER, ScriptedApi()) is None
