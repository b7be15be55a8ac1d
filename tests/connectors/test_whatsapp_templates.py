"""WhatsApp's approved templates: which are offered, how they are filled in, what is sent."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.contract.calling import ApiResponse, RefusedError
from connectors.contract.typed import WordedMessages, Wording, worded
from tests.connectors.meta_contract import DOCUMENTED, error_of, file
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import EndlessApi, ScriptedApi, answer, answer_of, asks
from tests.connectors.test_whatsapp_api import BEARER, GRAPH, NUMBER, PERSON, SENT, connector, sends

ACCOUNT = "264937493375603"
LISTED = f"{GRAPH}/{ACCOUNT}/message_templates"
QUERY = [
    ("fields", "name,language,status,category,parameter_format,components"),
    ("status", "APPROVED"),
    ("limit", "100"),
]
SHIPPED = Wording(
    kind="order_on_its_way/en_US",
    title="order_on_its_way",
    lang="en-US",
    words="Order {{HEAD_1}}\n\nHello {{1}}, your parcel is with {{2}} now.\n\nThank you",
)
NAMED = Wording(kind="back_soon/es", title="back_soon", lang="es", words="Hola {{first_name}}, le respondemos.")


def number(**settings):
    return connector(business_account_id=ACCOUNT, **settings)


def listed(name, *after):
    return asks("GET", LISTED, query=[*QUERY, *after], headers=BEARER), answer("whatsapp_api", name)


PICTURED = Wording(kind="with_a_picture/en", title="with_a_picture", lang="en", words="See above.", media="image")
LED_ON = Wording(
    kind="with_an_open_link/en",
    title="with_an_open_link",
    lang="en",
    words="See your order.\n\nOrder: https://shop.example/orders/{{BUTTON_0}}",
)


async def test_approved_templates_that_can_be_filled_in_are_offered_page_by_page():
    api = ScriptedApi(listed("templates"), listed("templates_last", ("after", "MjQZD")))
    assert isinstance(number(), WordedMessages)
    found = await number().wordings(api)
    api.finished()
    assert [(one.kind, one.title, one.lang, one.blanks) for one in found] == [
        ("order_on_its_way/en_US", "order_on_its_way", "en-US", ("HEAD_1", "1", "2")),
        ("back_soon/es", "back_soon", "es", ("first_name",)),
        ("with_a_picture/en", "with_a_picture", "en", ()),
        ("with_a_link/pt_BR", "with_a_link", "pt-BR", ()),
        ("with_an_open_link/en", "with_an_open_link", "en", ("BUTTON_0",)),
        ("hello/en", "hello", "en", ()),
    ], "none that is pending, turns, or has a code to sign in with"
    assert (found[0], found[2], found[4]) == (SHIPPED, PICTURED, LED_ON)


def shown(*components, **about):
    """The answer with one approved template of these components beside its body."""
    body = {"type": "BODY", "text": "Hello"}
    one = {
        "name": "x",
        "language": "en",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [*components, body],
    }
    return EndlessApi(answer_of({"data": [one | about]}))


@pytest.mark.parametrize(
    ("component", "words", "media"),
    [
        ({"type": "HEADER", "format": "VIDEO"}, "Hello", "video"),
        ({"type": "HEADER", "format": "DOCUMENT"}, "Hello", "document"),
        ({"type": "HEADER", "text": "Dear {{name}}"}, "Dear {{HEAD_name}}\n\nHello", None),
        (
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550051310"},
                    {"type": "COPY_CODE", "text": "Copy"},
                    {"type": "URL", "text": "Shop", "url": "https://shop.example/"},
                    {"type": "URL", "text": "Order", "url": "https://shop.example/{{1}}"},
                ],
            },
            "Hello\n\nCopy: {{CODE_1}}\n\nOrder: https://shop.example/{{BUTTON_3}}",
            None,
        ),
    ],
)
async def test_a_head_wants_a_file_and_a_button_that_is_filled_in_is_a_line(component, words, media):
    (found,) = await number().wordings(shown(component))
    assert (found.words, found.media) == (words, media)


@pytest.mark.parametrize(
    "component",
    [
        {"type": "HEADER", "format": "LOCATION"},
        {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Book"}]},
        {"type": "BUTTONS", "buttons": [{"type": "CATALOG", "text": "All"}]},
        {"type": "LIMITED_TIME_OFFER"},
    ],
)
async def test_what_wants_more_than_text_and_a_file_is_not_offered(component):
    assert await number().wordings(shown(component)) == []
    assert await number().wordings(shown(category="AUTHENTICATION")) == []


@pytest.mark.parametrize(
    ("wording", "filled", "template"),
    [
        (
            SHIPPED,
            {"HEAD_1": "112-1", "1": "Ana", "2": "DHL"},
            {
                "name": "order_on_its_way",
                "language": {"code": "en_US"},
                "components": [
                    {"type": "header", "parameters": [{"type": "text", "text": "112-1"}]},
                    {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "DHL"}]},
                ],
            },
        ),
        (
            NAMED,
            {"first_name": "Ana"},
            {
                "name": "back_soon",
                "language": {"code": "es"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Ana"}]}
                ],
            },
        ),
        (
            Wording(kind="hello/en", title="hello", lang="en", words="Hello"),
            {},
            {"name": "hello", "language": {"code": "en"}},
        ),
        (
            LED_ON,
            {"BUTTON_0": "112-1"},
            {
                "name": "with_an_open_link",
                "language": {"code": "en"},
                "components": [
                    {
                        "type": "button",
                        "sub_type": "url",
                        "index": "0",
                        "parameters": [{"type": "text", "text": "112-1"}],
                    }
                ],
            },
        ),
        (
            Wording(kind="less/en", title="less", lang="en", words="Hello {{1}}\n\nCopy: {{CODE_1}}"),
            {"1": "Ana", "CODE_1": "SAVE25"},
            {
                "name": "less",
                "language": {"code": "en"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
                    {
                        "type": "button",
                        "sub_type": "copy_code",
                        "index": "1",
                        "parameters": [{"type": "coupon_code", "coupon_code": "SAVE25"}],
                    },
                ],
            },
        ),
    ],
)
async def test_a_template_goes_out_with_what_fills_it_in(wording, filled, template):
    body = {"recipient_type": "individual", "to": PERSON, "type": "template", "template": template}
    api = ScriptedApi((sends(**body), SENT))
    assert (await number().say(PERSON, "weir-1", wording, filled, api)).startswith("wamid.")
    api.finished()


@pytest.mark.parametrize(
    ("media", "name", "mime", "more"),
    [
        ("image", "a.png", "image/png", {}),
        ("video", "a.mp4", "video/mp4", {}),
        ("document", "Rechnung ü.pdf", "application/pdf", {"filename": "Rechnung ü.pdf"}),
    ],
)
async def test_the_file_of_a_head_is_uploaded_first(media, name, mime, more):
    given = {"type": media, media: {"id": "1037543291543636", **more}}
    template = {"name": "with_a_picture", "language": {"code": "en"}}
    components = [{"type": "header", "parameters": [given]}]
    body = {"recipient_type": "individual", "to": PERSON, "type": "template"}
    api = ScriptedApi(
        (asks("POST", f"{GRAPH}/{NUMBER}/media", headers=BEARER), answer("whatsapp_api", "uploaded")),
        (sends(**body, template=template | {"components": components}), SENT),
    )
    await number().say(PERSON, "weir-1", replace(PICTURED, media=media), {}, api, files=[file(name, mime)])
    api.finished()


@pytest.mark.parametrize(
    ("wording", "files", "about"),
    [
        (PICTURED, [], "one file"),
        (PICTURED, [file(), file()], "one file"),
        (PICTURED, [file("a.pdf", "application/pdf")], "image/png"),
        (PICTURED, [file(content=b"x" * (5 * 2**20 + 1))], "5 MB"),
        (NAMED, [file()], "no file"),
    ],
)
async def test_what_a_head_does_not_take_is_refused_before_anything_is_asked(wording, files, about):
    filled = {"first_name": "Ana"} if wording is NAMED else {}
    with pytest.raises(RefusedError, match=about) as refused:
        await number().say(PERSON, "weir-1", wording, filled, ScriptedApi(), files=files)
    assert refused.value.code == "files"


def test_the_customer_reads_the_words_with_what_fills_them_in():
    filled = {"HEAD_1": "112-1", "1": "Ana {{2}}", "2": "DHL"}
    assert worded(SHIPPED, filled) == "Order 112-1\n\nHello Ana {{2}}, your parcel is with DHL now.\n\nThank you"


@pytest.mark.parametrize("filled", [{}, {"first_name": " "}, {"first_name": "Ana", "other": "x"}, {"other": "x"}])
def test_what_is_left_out_or_unknown_is_refused(filled):
    with pytest.raises(RefusedError, match="first_name") as refused:
        worded(NAMED, filled)
    assert refused.value.code == "blanks"


@pytest.mark.parametrize("value", ["two\nlines", "a\ttab", "five     spaces"])
async def test_a_value_that_meta_would_refuse_is_not_sent(value):
    with pytest.raises(RefusedError, match="one line"):
        await number().say(PERSON, "weir-1", NAMED, {"first_name": value}, ScriptedApi())


async def test_without_the_business_account_there_is_nothing_to_ask():
    with pytest.raises(RefusedError, match="business_account_id"):
        await connector().wordings(ScriptedApi())


async def test_a_template_that_was_withdrawn_is_refused_with_the_reason():
    with pytest.raises(RefusedError, match="132001"):
        await number().say(PERSON, "weir-1", NAMED, {"first_name": "Ana"}, EndlessApi(error_of(132001, 404)))


async def test_a_listing_that_never_ends_is_left():
    told = {"data": [], "paging": {"cursors": {"after": "x"}, "next": "https://graph.facebook.com/"}}
    api = EndlessApi(answer_of(told))
    assert await number().wordings(api) == []
    assert len(api.requests) == 20


@HOSTILE
@given(mutated(payloads("whatsapp_api")), st.sampled_from([200, 200, 400, 500]))
async def test_whatever_is_answered_gives_documented_errors(body, status):
    with suppress(*DOCUMENTED):
        await number().wordings(EndlessApi(ApiResponse(status=status, body=body)))
