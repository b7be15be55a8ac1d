"""Replies over the API: asked for once, listed, retried, settled."""

import json

import pytest

from actors.events import Message, Sender
from connectors.contract.calling import RefusedError, UncertainError
from services.replies.outbox import Outbox
from services.replies.replies import Replies
from tests.services_layer.postal import ACCOUNT, CONVERSATION, KEY, PLATFORM, Office
from tests.storage.flushes import Flushes, stored

PATH = f"/api/v1/conversations/{KEY}/messages"


@pytest.fixture
async def office(store, gateway, services):
    """A platform that takes replies, a conversation there, and the services over them."""
    opened = Office(gateway.now)
    services.replies = Replies(store, gateway, opened.find)
    services.outbox = Outbox(store, gateway, opened.find, opened.api, who="test")
    told = stored(
        "m1",
        CONVERSATION,
        platform=PLATFORM,
        account=ACCOUNT,
        at=gateway.now(),
        text="where is it?",
        sender=Sender(id="u1", role="customer"),
    )
    await Flushes(store)(told)
    return opened


def posting(client, text="hello", key="k-1", path=PATH, **fields):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, json={"text": text, **fields}, headers=headers)


async def test_a_reply_is_taken_in_once_however_often_it_is_posted(office, admin, services, logged):
    first = await posting(admin)
    assert first.status_code == 202
    assert first.json()["state"] == "queued"
    await services.outbox.step()
    again = await posting(admin)
    assert (again.status_code, again.json()) == (202, {"message": first.json()["message"], "state": "sent"})
    other = await posting(admin, "goodbye")
    assert other.status_code == 409
    assert "Idempotency-Key" in other.json()["detail"]
    assert office.texts == ["hello"]
    assert len([entry for entry in await logged() if isinstance(entry, Message)]) == 1


async def test_a_key_may_stand_in_the_path_percent_encoded(office, admin):
    encoded = f"/api/v1/conversations/{KEY.replace('/', '%2F')}/messages"
    assert (await posting(admin, path=encoded)).status_code == 202
    assert (await posting(admin, path=f"/api/v1/conversations/{PLATFORM}/messages")).status_code == 404
    assert (await posting(admin, path=PATH.replace("c1", "c9"))).status_code == 404
    assert office.sent == []


async def test_the_same_words_twice_are_a_conflict_unless_they_are_meant(office, admin):
    await posting(admin)
    twice = await posting(admin, key="k-2")
    assert twice.status_code == 409
    assert "identical reply was sent 0 s ago" in twice.json()["detail"]
    assert (await posting(admin, key="k-2", again=True)).status_code == 202
    assert office.sent == []


async def test_objections_are_listed_with_their_codes(office, admin, logged):
    refused = await posting(admin, "x" * 201)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    [objection] = refused.json()["objections"]
    assert (objection["code"], objection["figures"]["over"]) == ("text_too_long", 1)
    assert "shorten it" in objection["text"]
    assert (await admin.get("/api/v1/outbox")).json()["items"] == []
    assert await logged() == []
    assert office.sent == []


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize(
    ("fields", "key", "status", "told"),
    [
        ({"private": True, "reply_to": "m1"}, "k-1", 422, "a note is text alone"),
        ({"private": True, "text": " "}, "k-1", 422, "a note says something"),
        ({"private": True}, "x" * 256, 422, "Idempotency-Key"),
        ({}, None, 422, "Idempotency-Key"),
        ({}, "", 422, "Idempotency-Key"),
        ({}, "x" * 256, 422, "Idempotency-Key"),
        ({"text": 7}, "k-1", 422, "text"),
        ({"txet": "hello"}, "k-1", 422, "txet"),
        ({"reply_to": "m9"}, "k-1", 422, "reply_to"),
        ({"files": [{"digest": "0" * 64, "name": "a", "mime": "a/b"}]}, "k-1", 422, "not held"),
    ],
)
async def test_what_does_not_fit_is_refused_and_named(admin, fields, key, status, told):
    answer = await posting(admin, key=key, **fields)
    assert answer.status_code == status
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(("role", "status"), [("agent", 202), ("supervisor", 202), ("finance", 403), ("viewer", 403)])
@pytest.mark.usefixtures("office")
async def test_agents_supervisors_and_admins_reply(as_role, role, status):
    async with await as_role(role) as client:
        assert (await posting(client)).status_code == status
        assert (await client.get("/api/v1/outbox")).status_code == 200
        retried = await client.post("/api/v1/outbox/weir-0/retry")
        assert retried.status_code == (404 if status == 202 else 403)


async def test_the_outbox_lists_newest_first_by_state_channel_and_conversation(office, admin, services):
    office.plays(RefusedError("550 too large", "550"))
    await posting(admin, "one", "k-1")
    await services.outbox.step()
    await posting(admin, "two", "k-2")
    listed = (await admin.get("/api/v1/outbox")).json()["items"]
    assert [(item["text"], item["state"]) for item in listed] == [("two", "queued"), ("one", "failed")]
    failed = (await admin.get("/api/v1/outbox", params={"state": "failed", "conversation": KEY})).json()["items"]
    assert [(item["code"], item["reason"], item["due_at"]) for item in failed] == [("550", "550 too large", None)]
    assert not {"digest", "idempotency_key", "recipient"} & failed[0].keys()
    first = (await admin.get("/api/v1/outbox", params={"limit": 1})).json()
    second = (await admin.get("/api/v1/outbox", params={"limit": 1, "cursor": first["next"]})).json()
    assert [first["items"][0]["text"], second["items"][0]["text"], second["next"]] == ["two", "one", None]
    for params in ({"platform": "shopee"}, {"account": "x"}, {"conversation": "x"}, {"state": "sent"}):
        assert (await admin.get("/api/v1/outbox", params=params)).json()["items"] == []
    both = await admin.get("/api/v1/outbox", params=[("state", "failed"), ("state", "queued")])
    assert len(both.json()["items"]) == 2
    assert (await admin.get("/api/v1/outbox", params={"state": "lost"})).status_code == 422


async def test_a_failed_reply_is_retried_and_an_unknown_one_settled(office, admin, services):
    office.plays(RefusedError("blocked"), UncertainError("no answer"))
    path = "/api/v1/outbox/" + (await posting(admin)).json()["message"]
    await services.outbox.step()
    retried = await admin.post(f"{path}/retry")
    assert (retried.status_code, retried.json()["state"]) == (200, "queued")
    await services.outbox.step()
    for body in ({}, {"sure": False}):
        assert (await admin.post(f"{path}/retry", json=body)).status_code == 409
    assert (await admin.post(f"{path}/settle", json={})).status_code == 422
    settled = await admin.post(f"{path}/settle", json={"sent": True})
    assert (settled.status_code, settled.json()["state"]) == (200, "sent")
    assert (await admin.post(f"{path}/settle", json={"sent": True})).status_code == 409
    audit = (await admin.get("/api/v1/audit")).json()["items"]
    assert [row["what"] for row in audit if row["what"].startswith("reply.")] == [
        "reply.settled",
        "reply.retried",
        "reply.asked",
    ]
    assert "hello" not in json.dumps(audit)


async def test_a_retry_that_the_platform_would_not_take_lists_objections(office, admin, services):
    office.plays(RefusedError("blocked"))
    path = "/api/v1/outbox/" + (await posting(admin)).json()["message"]
    await services.outbox.step()
    office.connector.limits = type(office.connector.limits)(text=2)
    refused = await admin.post(f"{path}/retry")
    assert refused.status_code == 422
    assert [one["code"] for one in refused.json()["objections"]] == ["text_too_long"]


async def test_the_header_and_the_body_are_described(stranger):
    told = (await stranger.get("/api/openapi.json")).json()["paths"]
    asked = told["/api/v1/conversations/{key}/messages"]["post"]
    assert {one["name"]: one["in"] for one in asked["parameters"]} == {"key": "path", "Idempotency-Key": "header"}
    body = asked["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"text", "reply_to", "resend_of", "files", "again", "compress", "private"} == body.keys()
