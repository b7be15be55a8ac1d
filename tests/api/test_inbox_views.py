"""Saved views over HTTP: one's own, what others share, and who may change what."""

from __future__ import annotations

import httpx
import pytest

PASSWORD = "correct horse battery"
VIEWS = "/api/v1/inbox/views"
WANTED = {"name": "Refunds, Thailand", "query": {"tab": "team", "label": "refund", "lang": "th"}}


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


async def test_a_view_is_saved_changed_and_forgotten(enter, services):
    ann = await enter("ann")
    made = await ann.post(VIEWS, json=WANTED)
    assert made.status_code == 201
    view = made.json()
    assert (view["name"], view["mine"], view["shared"], view["query"]) == (
        WANTED["name"],
        True,
        False,
        WANTED["query"],
    )
    changed = (await ann.put(f"{VIEWS}/{view['id']}", json={"name": "Refunds"})).json()
    assert (changed["name"], changed["query"]) == ("Refunds", WANTED["query"])
    assert [one["name"] for one in (await ann.get(VIEWS)).json()["items"]] == ["Refunds"]
    assert (await ann.delete(f"{VIEWS}/{view['id']}")).status_code == 204
    assert (await ann.get(VIEWS)).json()["items"] == []
    told = [row.what for row in (await services.store.audit(9, what="view.")).items]
    assert told == ["view.deleted", "view.changed", "view.saved"]


async def test_what_is_shared_others_see_and_only_those_above_change(enter):
    ann, bob, sam = await enter("ann"), await enter("bob"), await enter("sam", "supervisor")
    own = (await ann.post(VIEWS, json=WANTED)).json()
    shared = (await ann.post(VIEWS, json={"name": "VIPs", "query": {"vip": "true"}, "shared": True})).json()
    assert [(one["name"], one["mine"]) for one in (await bob.get(VIEWS)).json()["items"]] == [("VIPs", False)]
    assert (await bob.put(f"{VIEWS}/{own['id']}", json={"name": "x"})).status_code == 404
    assert (await bob.delete(f"{VIEWS}/{shared['id']}")).status_code == 403
    assert (await sam.put(f"{VIEWS}/{shared['id']}", json={"shared": False})).status_code == 200
    assert (await bob.get(VIEWS)).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"name": ""}, 422, "name"),
        ({"name": "x" * 61}, 422, "name"),
        ({"name": "a\u0000b"}, 422, "name"),
        ({"query": {"colour": "red"}}, 422, "colour"),
        ({"query": {"q": "x" * 201}}, 422, "q is longer"),
        ({"query": {"q": 1}}, 422, "query"),
        ({"owner": "bob"}, 422, "owner"),
    ],
)
async def test_bad_input_is_a_problem_that_says_why(enter, change, status, why):
    ann = await enter("ann")
    answer = await ann.post(VIEWS, json=WANTED | change)
    assert answer.status_code == status, answer.text
    assert why in answer.json()["detail"]


async def test_a_name_is_taken_once_and_there_is_an_end_to_it(enter):
    ann = await enter("ann")
    assert (await ann.post(VIEWS, json=WANTED)).status_code == 201
    assert (await ann.post(VIEWS, json=WANTED | {"name": WANTED["name"].upper()})).status_code == 409
    for number in range(49):
        assert (await ann.post(VIEWS, json=WANTED | {"name": f"view {number}"})).status_code == 201
    assert "50 views" in (await ann.post(VIEWS, json=WANTED | {"name": "one more"})).json()["detail"]
