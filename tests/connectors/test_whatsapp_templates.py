"""WhatsApp's approved templates: which are offered, how they are filled in, what is sent."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.calling import ApiResponse, RefusedError
from connectors.contract.typed import WordedMessages, Wording, worded
from tests.connectors.meta_contract import DOCUMENTED, error_of
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import EndlessApi, ScriptedApi, answer, answer_of, asks
from tests.connectors.test_whatsapp_api import BEARER, GRAPH, PERSON, SENT, connector, sends

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


async def test_approved_templates_that_text_fills_in_are_offered_page_by_page():
    api = ScriptedApi(listed("templates"), listed("templates_last", ("after", "MjQZD")))
    assert isinstance(number(), WordedMessages)
    found = await number().wordings(api)
    api.finished()
    assert [(one.kind, one.title, one.lang, one.blanks) for one in found] == [
        ("order_on_its_way/en_US", "order_on_its_way", "en-US", ("HEAD_1", "1", "2")),
        ("back_soon/es", "back_soon", "es", ("first_name",)),
        ("with_a_link/pt_BR", "with_a_link", "pt-BR", ()),
        ("hello/en", "hello", "en", ()),
    ], "none that is pending, has a picture, a code to sign in with, or a button that is filled in"
    assert found[0] == SHIPPED


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
    ],
)
async def test_a_template_goes_out_with_what_fills_it_in(wording, filled, template):
    body = {"recipient_type": "individual", "to": PERSON, "type": "template", "template": template}
    api = ScriptedApi((sends(**body), SENT))
    assert (await number().say(PERSON, "weir-1", wording, filled, api)).startswith("wamid.")
    api.finished()


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
