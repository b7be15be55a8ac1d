"""Platforms' webhooks over HTTP: genuine or refused, durable before the answer, one bad item harming no other."""

from __future__ import annotations

import msgspec
import pytest
import structlog

from actors.events import Message, Rejected
from connectors.contract.signatures import hex_of, hmac_sha256
from services.arrivals.arrivals import Arrivals
from services.arrivals.webhooks import Webhooks
from services.channels.bindings import Bindings
from services.channels.secrets import Vault
from services.people.permissions import Caller
from tests.api.letters import Letters

SECRET = "kept in the vault"  # a test's own
ADMIN = Caller(name="ada", role="admin", via="session")
ADDRESS = "/webhooks/letters/shop%2F1"


@pytest.fixture
async def heard(services):
    """What the webhooks' outcomes were; the channel is bound."""
    outcomes = []
    await services.bindings.bind(ADMIN, "letters", "shop/1", f"https://weir.test{ADDRESS}", {"secret": SECRET})
    services.webhooks.observe = lambda outcome, count: outcomes.append((outcome, count))
    return outcomes


def letter(number, **changes):
    return {"from": "anna", "id": number, "time": 1_700_000_000_000 + number, "text": "Where is it?", **changes}


def signed(*letters):
    body = msgspec.json.encode({"letters": letters})
    return {"content": body, "headers": {"Authorization": hex_of(hmac_sha256(SECRET, body))}}


async def test_what_a_genuine_request_tells_is_in_the_log_when_it_is_answered(stranger, heard, logged):
    answer = await stranger.post(ADDRESS, **signed(letter(1), letter(2)))
    assert (answer.status_code, answer.content) == (204, b"")
    entries = await logged()
    assert [(e.account, e.conversation, e.message, e.sent_at) for e in entries] == [
        ("shop/1", "anna", "1", 1_700_000_000_001),
        ("shop/1", "anna", "2", 1_700_000_000_002),
    ]
    assert all(e.at is not None for e in entries)
    assert heard == [("accepted", 2)]


async def test_one_bad_item_is_kept_as_rejected_and_harms_no_other(stranger, heard, logged):
    answer = await stranger.post(ADDRESS, **signed(letter(1), letter(2, time="soon"), letter(3)))
    assert answer.status_code == 204
    entries = await logged()
    bad = [e for e in entries if isinstance(e, Rejected)]
    assert [(e.platform, e.account, e.reason) for e in bad] == [("letters", "shop/1", "'time' is missing or no time")]
    assert msgspec.json.decode(bad[0].raw)["id"] == 2
    assert [e.message for e in entries if isinstance(e, Message)] == ["1", "3"]
    assert heard == [("accepted", 2), ("rejected", 1)]


async def test_a_genuine_body_that_cannot_be_read_is_kept_and_answered_well(stranger, heard, logged):
    body = b"{broken"
    headers = {"Authorization": hex_of(hmac_sha256(SECRET, body))}
    assert (await stranger.post(ADDRESS, content=body, headers=headers)).status_code == 204
    (entry,) = await logged()
    assert (entry.raw, entry.platform, entry.account) == (body, "letters", "shop/1")
    assert entry.reason.startswith("the body is not JSON")
    assert heard == [("rejected", 1)]


async def test_an_event_no_gateway_would_take_is_rejected_not_logged_as_it_is(stranger, heard, logged):
    assert (await stranger.post(ADDRESS, **signed(letter(1, seq=-1)))).status_code == 204
    (entry,) = await logged()
    assert isinstance(entry, Rejected)
    assert "seq" in entry.reason
    assert heard == [("rejected", 1)]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "0" * 64}, {"Authorization": "Bearer nobody"}])
async def test_a_wrong_signature_is_refused_and_leaves_nothing(stranger, heard, logged, headers):
    answer = await stranger.post(ADDRESS, content=b'{"letters":[]}', headers=headers)
    assert answer.status_code == 401
    assert "Authorization" in answer.json()["detail"]
    assert await logged() == []
    assert heard == [("bad_signature", 1)]


async def test_a_handshake_is_answered_before_any_signature(stranger, heard):
    answer = await stranger.get(ADDRESS, params={"token": "ours", "challenge": "<b>42"})
    assert (answer.status_code, answer.text) == (200, "<b>42")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await stranger.get(ADDRESS, params={"token": "theirs"})).status_code == 401
    assert heard == [("handshake", 1), ("bad_signature", 1)]


async def test_a_channel_that_is_not_bound_is_not_found(stranger, heard):
    answer = await stranger.post("/webhooks/letters/other", content=b"{}")
    assert answer.status_code == 404
    assert "letters/other" in answer.json()["detail"]
    assert heard == []


async def test_a_request_that_tells_nothing_is_answered_and_logs_nothing(stranger, heard, logged):
    assert (await stranger.post(ADDRESS, **signed())).status_code == 204
    assert await logged() == []
    assert heard == []


async def test_a_body_larger_than_allowed_is_refused(stranger, heard):
    answer = await stranger.post(ADDRESS, content=b"x" * 200_001)
    assert answer.status_code == 413
    assert heard == []


async def test_secrets_that_cannot_be_opened_are_told_to_the_log_and_to_no_stranger(
    stranger, heard, services, data_dir, logged
):
    elsewhere = Vault(file=data_dir / "another.key")
    elsewhere.renew()
    found = Bindings(services.store, elsewhere, {Letters.platform: Letters}, services.gateway.now)
    services.webhooks = Webhooks(Arrivals(services.gateway, services.store), found.connector)
    with structlog.testing.capture_logs() as lines:
        answer = await stranger.post(ADDRESS, **signed(letter(1)))
    assert answer.status_code == 503
    assert answer.json()["detail"] == "this channel cannot be served now; Weir's log says why"
    assert [line["event"] for line in lines] == ["webhook not served"]
    assert await logged() == []
    assert heard == []


def parcel(shop, number="1", secret=SECRET):
    body = msgspec.json.encode({"shop": shop, "id": number})
    return {"content": body, "headers": {"Authorization": hex_of(hmac_sha256(secret, b"app" + body))}}


@pytest.fixture
async def shops(services):
    """Binds shops of the platform that has one address for all shops of an app."""

    async def bind(account, shop=None, **settings):
        given = {"app_key": "app", "app_secret": SECRET, **settings} | ({"shop_id": shop} if shop else {})
        await services.bindings.bind(ADMIN, "parcels", account, f"https://weir.test/webhooks/parcels/{account}", given)

    return bind


async def test_what_is_for_another_shop_of_the_same_app_is_that_shops(stranger, shops, logged):
    await shops("one", "1")
    await shops("two", "2")
    assert (await stranger.post("/webhooks/parcels/one", **parcel("2"))).status_code == 200
    assert (await stranger.post("/webhooks/parcels/one", **parcel("1"))).status_code == 200
    assert (await stranger.post("/webhooks/parcels/two", **parcel("1", "2"))).status_code == 200
    assert [(e.account, e.message) for e in await logged()] == [("two", "1"), ("one", "1"), ("one", "2")]


async def test_a_channel_that_names_no_shop_leaves_a_shop_to_the_channel_that_names_it(stranger, shops, logged):
    await shops("any")
    await shops("two", "2")
    assert (await stranger.post("/webhooks/parcels/any", **parcel("2"))).status_code == 200
    assert (await stranger.post("/webhooks/parcels/any", **parcel("3"))).status_code == 200
    assert [e.account for e in await logged()] == ["two", "any"]


@pytest.mark.parametrize("settings", [{"app_secret": "another app's"}, {"app_key": "other"}])
async def test_what_is_signed_by_one_app_is_no_message_of_another_apps_shop(stranger, shops, logged, settings):
    await shops("one", "1")
    await shops("two", "2", **settings)
    assert (await stranger.post("/webhooks/parcels/one", **parcel("2"))).status_code == 200
    (entry,) = await logged()
    assert (entry.account, entry.reason) == ("one", "the push is for shop 2")


async def test_what_is_for_a_shop_that_is_bound_nowhere_is_kept_as_rejected(stranger, shops, logged):
    await shops("one", "1")
    assert (await stranger.post("/webhooks/parcels/one", **parcel("2"))).status_code == 200
    (entry,) = await logged()
    assert isinstance(entry, Rejected)


async def test_naming_another_shop_makes_no_request_genuine(stranger, shops, logged):
    await shops("one", "1")
    await shops("two", "2", app_secret="another app's")
    answer = await stranger.post("/webhooks/parcels/one", **parcel("2", secret="another app's"))
    assert answer.status_code == 401
    assert await logged() == []
