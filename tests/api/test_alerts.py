"""Telling people, over HTTP: wishes, receipts, who may look at whose."""

from __future__ import annotations

import httpx
import pytest

from services.alerts.deciding import alert_id
from storage.alert_records import ExpectedAlert

PASSWORD = "correct horse battery"
ALERTS = "/api/v1/alerts"
KEY = "shopee/shop-1/c1"


@pytest.fixture
async def enter(app, services):
    """`enter(name, role)` is a browser in which that person has logged in."""
    open_ones = []

    async def entered(name, role="agent"):
        await services.accounts.add(name, role, PASSWORD, who="test")
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://weir.test"
        )
        open_ones.append(client)
        await client.post("/auth/login", json={"name": name, "password": PASSWORD})
        return client

    yield entered
    for client in open_ones:
        await client.aclose()


async def expected(services, person, message="m1"):
    name = alert_id(person, KEY, "message", message)
    row = ExpectedAlert(id=name, person=person, key=KEY, at=services.gateway.now(), why="message", message=message)
    await services.store.add_alerts([row])
    return name


async def test_a_receipt_becomes_an_event_of_the_message(enter, services, logged):
    ann = await enter("ann")
    name = await expected(services, "ann")
    answer = await ann.post(f"{ALERTS}/{name}/receipt", json={"status": "fired"})
    assert (answer.status_code, answer.json()["fate"]) == (200, "fired")
    [entry] = await logged()
    assert (entry.conversation, entry.message, entry.status, entry.medium) == ("c1", "m1", "fired", "desktop")
    [row] = (await ann.get(ALERTS)).json()["items"]
    assert [(rung["rung"], rung["status"]) for rung in row["rungs"]] == [("desktop", "sent")]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"status": "failed"}, 422, "reason"),
        ({"status": "maybe"}, 422, "status"),
        ({}, 422, "status"),
        ({"status": "fired", "who": "bob"}, 422, "who"),
    ],
)
async def test_a_receipt_that_does_not_fit_says_why(enter, services, body, status, why):
    ann = await enter("ann")
    answer = await ann.post(f"{ALERTS}/{await expected(services, 'ann')}/receipt", json=body)
    assert answer.status_code == status
    assert why in answer.json()["detail"]


async def test_nobody_says_anything_of_somebody_elses_alert(enter, services):
    bob = await enter("bob")
    name = await expected(services, "ann")
    assert (await bob.post(f"{ALERTS}/{name}/receipt", json={"status": "fired"})).status_code == 404
    assert (await bob.get(ALERTS)).json()["items"] == []
    assert (await bob.get(ALERTS, params={"person": "ann"})).status_code == 403
    assert (await bob.get(f"{ALERTS}/reach")).status_code == 403
    sam = await enter("sam", "supervisor")
    assert len((await sam.get(ALERTS, params={"person": "ann"})).json()["items"]) == 1
    [row] = (await sam.get(f"{ALERTS}/reach")).json()["items"]
    assert row == {"person": "ann", "fates": {"expected": 1}, "reach": 0.0}


async def test_wishes_are_kept_and_what_is_left_out_stays(enter):
    ann = await enter("ann")
    first = (await ann.get(f"{ALERTS}/settings")).json()
    assert first == {"desktop": True, "sound": True, "muted": [], "quiet": None, "ways": []}
    quiet = {"start": 1320, "end": 420, "zone": "Asia/Shanghai"}
    await ann.patch(f"{ALERTS}/settings", json={"sound": False, "quiet": quiet})
    changed = (await ann.patch(f"{ALERTS}/settings", json={"muted": ["ebay/shop"]})).json()
    assert changed == {"desktop": True, "sound": False, "muted": ["ebay/shop"], "quiet": quiet, "ways": []}
    assert (await ann.patch(f"{ALERTS}/settings", json={"quiet": None})).json()["quiet"] is None
    assert (await ann.patch(f"{ALERTS}/settings", json={"quiet": {"start": 1}})).status_code == 422


async def test_an_address_is_shown_masked(enter):
    ann = await enter("ann")
    made = await ann.post(f"{ALERTS}/ways", json={"kind": "email", "address": "ann.lin@example.com"})
    [way] = made.json()["ways"]
    assert (made.status_code, way["address"]) == (201, "a…@example.com")
    assert (await ann.delete(f"{ALERTS}/ways/{way['id']}")).json()["ways"] == []
    assert (await ann.delete(f"{ALERTS}/ways/{way['id']}")).status_code == 404
    viewer = await enter("vic", "viewer")
    refused = await viewer.post(f"{ALERTS}/ways", json={"kind": "email", "address": "vic@example.com"})
    assert refused.status_code == 422


async def test_trying_out_counts_for_nothing(enter, services):
    ann = await enter("ann")
    alert = (await ann.post(f"{ALERTS}/test")).json()["alert"]
    assert (alert["type"], alert["why"], alert["message"]) == ("alert", "test", None)
    assert (await ann.post(f"{ALERTS}/{alert['id']}/receipt", json={"status": "fired"})).status_code == 200
    assert await services.store.alert_fates(0) == {}


async def test_a_program_has_no_alerts(admin):
    assert (await admin.get(ALERTS)).status_code == 403
