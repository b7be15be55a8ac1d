"""Templates, and what is said to a reply before it is sent, over the API."""

import pytest

from actors.events import Sender
from services.replies.linter import Linter
from services.replies.replies import Replies
from tests.services_layer.postal import ACCOUNT, CONVERSATION, KEY, PLATFORM, Office
from tests.storage.flushes import Flushes, stored

CHECK = f"/api/v1/conversations/{KEY}/messages/check"
TEXT = {"text": "Hello {contact.name} from {shop}, {tracking.number}", "platform": None, "lang": None}


@pytest.fixture
async def office(store, gateway, services):
    """A platform that takes replies, and a conversation there."""
    opened = Office(gateway.now)
    services.replies = Replies(store, gateway, opened.find)
    services.linter = Linter(services.replies)
    about = {"platform": PLATFORM, "account": ACCOUNT, "at": gateway.now(), "text": "where is it?"}
    await Flushes(store)(stored("m1", CONVERSATION, sender=Sender(id="u1", role="customer"), **about))
    return opened


def wanted(name="hello", **more):
    return {"name": name, "folder": "a", "texts": [TEXT], **more}


async def test_a_template_is_made_changed_used_and_forgotten(admin):
    made = await admin.post("/api/v1/templates", json=wanted())
    assert (made.status_code, made.json()["version"], made.json()["stale"]) == (201, 1, None)
    path = f"/api/v1/templates/{made.json()['id']}"
    assert (await admin.post("/api/v1/templates", json=wanted("HELLO"))).status_code == 409
    changed = await admin.put(path, json=wanted("hi", version=1, active=False))
    assert (changed.json()["name"], changed.json()["active"], changed.json()["version"]) == ("hi", False, 2)
    assert (await admin.put(path, json=wanted("late", version=1))).status_code == 409
    assert (await admin.post(f"{path}/used")).status_code == 204
    listed = (await admin.get("/api/v1/templates")).json()
    assert [(one["name"], one["used"]) for one in listed["items"]] == [("hi", 1)]
    assert "contact.name" in listed["variables"]
    assert (await admin.delete(path)).status_code == 200
    for call in (admin.delete(path), admin.post(f"{path}/used"), admin.put(path, json=wanted(version=2))):
        assert (await call).status_code == 404


@pytest.mark.usefixtures("office")
async def test_the_templates_for_a_conversation_are_filled_in(admin):
    await admin.post("/api/v1/templates", json=wanted())
    found = await admin.get("/api/v1/templates/for", params={"conversation": KEY, "q": "hel"})
    [offer] = found.json()["items"]
    assert offer["text"].endswith("from office-1, {tracking.number}")
    assert offer["missing"] == ["contact.name", "tracking.number"]
    assert (await admin.get("/api/v1/templates/for", params={"conversation": KEY, "q": "x"})).json() == {"items": []}
    assert (await admin.get("/api/v1/templates/for", params={"conversation": f"{KEY}x"})).status_code == 404


async def test_agents_read_templates_and_viewers_do_not_and_neither_changes_any(as_role):
    async with await as_role("agent") as agent, await as_role("viewer") as viewer:
        assert (await agent.get("/api/v1/templates")).status_code == 200
        assert (await viewer.get("/api/v1/templates")).status_code == 403
        for client in (agent, viewer):
            assert (await client.post("/api/v1/templates", json=wanted())).status_code == 403
            assert (await client.delete("/api/v1/templates/t-1")).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, wanted(texts=[]), wanted(texts=[{"txet": "x"}]), wanted(" "), wanted(version="x"), [1]]
)
async def test_what_is_no_template_is_refused_with_its_reason(admin, body):
    refused = await admin.post("/api/v1/templates", json=body)
    assert refused.status_code == 422
    assert refused.json()["detail"]


@pytest.mark.usefixtures("office")
async def test_what_blocks_and_what_is_disliked_of_a_reply_is_told_and_nothing_is_kept(admin):
    fine = (await admin.post(CHECK, json={"text": "hello"})).json()
    assert (fine["sendable"], fine["objections"], fine["left"], fine["limits"]["text"]) == (True, [], 195, 200)
    assert fine["limits"]["forbids"] == []
    wrong = (await admin.post(CHECK, json={"text": "HELLO THERE MY FRIEND {shop} " + "x" * 200})).json()
    assert [one["code"] for one in wrong["objections"]] == ["text_too_long", "unfilled"]
    assert (await admin.post(CHECK, json={"text": "WHERE IS IT NOW???"})).json()["warnings"] != []
    assert (await admin.post(CHECK, json={"txet": "x"})).status_code == 422
    assert (await admin.post(CHECK.replace("c1", "c9"), json={})).status_code == 404
    assert (await admin.get("/api/v1/outbox")).json()["items"] == []


@pytest.mark.usefixtures("office")
async def test_an_identical_reply_is_a_conflict_with_who_and_when_for_programs(admin):
    path = CHECK.removesuffix("/check")
    for number, status in ((1, 202), (2, 409)):
        answer = await admin.post(path, json={"text": "hi"}, headers={"Idempotency-Key": f"k{number}"})
        assert answer.status_code == status
    assert (answer.json()["code"], answer.json()["who"]) == ("identical", "token:test admin")
    assert answer.json()["ago_s"] >= 0
