"""Mercado Libre's notifications: what is believed of them, and what they point to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.history import Pointer
from connectors.mercadolibre import MercadoLibre
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

SETTINGS = {"webhook_key": "a-long-word", "client_id": "8974", "seller_id": "123456789"}
MESSAGE = "0033b582a1474fa98c02d229abcec43c"


def libre(**settings):
    url = "https://inbox.example/webhooks/mercadolibre/br"
    return MercadoLibre(Binding(account="br", url=url, settings=SETTINGS | settings))


def post(body=b"{}", **query):
    return WebhookRequest(method="POST", query=query, body=body)


def changed(**told):
    return post(json.dumps(json.loads(payload("mercadolibre", "message")) | told).encode())


def parsed(name):
    return list(libre().parse(post(payload("mercadolibre", name))))


def test_a_notification_to_the_address_with_our_word_is_taken():
    libre().verify(post(key="a-long-word"))


@pytest.mark.parametrize("query", [{}, {"key": ""}, {"key": "a-long-wore"}, {"key": "\udcff"}, {"word": "a-long-word"}])
def test_any_other_address_proves_nothing(query):
    with pytest.raises(SignatureError):
        libre().verify(post(**query))


@pytest.mark.parametrize("name", ["message", "message_path"])
def test_a_message_is_pointed_to_by_its_id_alone_or_in_a_path(name):
    assert parsed(name) == [Pointer(id=f"message/{MESSAGE}/created", about={"message": MESSAGE})]


def test_a_pack_is_pointed_to():
    assert parsed("pack") == [
        Pointer(id="pack/2000000012/created+read", about={"pack": "2000000012", "since": "1705228200000"})
    ]


def test_other_topics_and_empty_requests_give_nothing():
    assert parsed("question") == []
    assert list(libre().parse(post(b""))) == []


@pytest.mark.parametrize(("name", "told"), [("application_id", 1), ("user_id", 7)])
def test_what_is_for_another_application_or_seller_is_refused(name, told):
    (refused,) = libre().parse(changed(**{name: told}))
    assert isinstance(refused, Refused)
    assert f"{name} {told}" in refused.reason


@pytest.mark.parametrize("resource", ["", "/", "/messages/packs/", "/messages/", "/messages/packs/1 2", "/x/é", None])
def test_a_resource_that_names_nothing_cannot_be_read(resource):
    with pytest.raises(UnreadableError):
        libre().parse(changed(resource=resource))


def test_a_resource_never_leads_elsewhere():
    pointer = Pointer(id="message/users/created", about={"message": "users"})
    assert libre().parse(changed(resource="/messages/../users")) == [pointer]


def test_the_seller_of_a_notification_is_told_for_shared_addresses():
    assert libre().route(changed(user_id=7)) == "7"
    assert libre().route(post(b"?")) is None


@HOSTILE
@given(mutated(payloads("mercadolibre")))
def test_whatever_comes_gives_pointers_or_one_error(body):
    parsed_or_unreadable(libre(), post(body))
