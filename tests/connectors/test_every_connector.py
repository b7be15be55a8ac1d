"""What holds for the connector of every platform, whatever it is sent."""

from __future__ import annotations

import re

import msgspec
import pytest

from actors.events import Message, Receipt
from actors.intake import parse_event
from connectors.contract.connector import Binding, Refused, WebhookRequest
from connectors.registry import BY_PLATFORM, CONNECTORS
from connectors.shopee import BLOCKED
from tests.connectors.mutations import PAYLOADS, payload

ACCOUNT = "shop"
SECRET = "d2VpciB3ZWlyIHdlaXIgd2VpciB3ZWly"  # base64 too, which Standard Webhooks wants
BODIES = [(path.parent.name, path.stem) for path in sorted(PAYLOADS.glob("*/*.json"))]

every = pytest.mark.parametrize("kind", CONNECTORS, ids=lambda kind: kind.platform)
every_payload = pytest.mark.parametrize(("platform", "name"), BODIES)


def bound(kind, **settings):
    given = {one.name: SECRET for one in kind.settings if one.required}
    url = f"https://weir.example/webhooks/{kind.platform}/{ACCOUNT}"
    return kind(Binding(account=ACCOUNT, url=url, settings=given | settings))


def parsed(platform, name):
    request = WebhookRequest(method="POST", headers={"webhook-id": "msg_1"}, body=payload(platform, name))
    return list(bound(BY_PLATFORM[platform]).parse(request))


def refused_by_the_platform(message):
    """Whether what the platform told beside the message says that it did not take it."""
    return isinstance(message.extra, dict) and message.extra.get("status") in BLOCKED


@every
def test_every_platform_has_payloads_and_one_module(kind):
    assert any(platform == kind.platform for platform, _ in BODIES)
    assert BY_PLATFORM[kind.platform] is kind
    assert kind.__module__ == f"connectors.{kind.platform}"


@every
def test_a_setting_has_a_plain_name_and_says_where_it_is_found(kind):
    assert kind.settings
    names = [one.name for one in kind.settings]
    assert len(set(names)) == len(names)
    for one in kind.settings:
        assert re.fullmatch("[a-z]+(_[a-z]+)*", one.name)
        assert one.about == one.about.strip()
        assert one.about.isprintable()
        assert " " in one.about
        assert not one.about.endswith("."), "it stands in a table: a fragment of a sentence"


@every
def test_a_setting_that_must_be_kept_secret_must_be_given(kind):
    assert any(one.secret and one.required for one in kind.settings)


@every_payload
def test_every_message_of_our_own_has_its_receipt_or_was_refused(platform, name):
    found = parsed(platform, name)
    for index, one in enumerate(found):
        if isinstance(one, Message) and one.direction == "out" and not refused_by_the_platform(one):
            told = [other for other in found[index + 1 :] if isinstance(other, Receipt)]
            assert (one.conversation, one.message) in [(other.conversation, other.message) for other in told]


@every
def test_a_platform_that_shows_our_own_messages_tells_that_it_accepted_them(kind):
    found = [one for platform, name in BODIES if platform == kind.platform for one in parsed(platform, name)]
    ours = any(isinstance(one, Message) and one.direction == "out" for one in found)
    assert not ours or (kind.capabilities.echoes and "accepted" in kind.capabilities.receipts)
    statuses = {one.status for one in found if isinstance(one, Receipt)}
    assert statuses <= kind.capabilities.receipts


@every_payload
def test_the_gateway_takes_every_event_of_every_payload(platform, name):
    found = parsed(platform, name)
    events = [one for one in found if not isinstance(one, Refused)]
    assert [parse_event(msgspec.json.encode(one), need_at=False) for one in events] == events
    assert {(one.platform, one.account) for one in events} <= {(platform, ACCOUNT)}
    assert all(isinstance(one, Message) or one.event for one in events), "told again, it would count twice"
    assert len(events) == len(found) or name == "one_bad"


@every_payload
def test_a_request_told_again_gives_equal_events(platform, name):
    assert parsed(platform, name) == parsed(platform, name)
