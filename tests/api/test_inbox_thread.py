"""The thread, notes and drafts over the API."""

import pytest

from actors.events import Sender
from tests.services_layer.postal import ACCOUNT, CONVERSATION, KEY, PLATFORM
from tests.storage.flushes import Flushes, stored

ONE = f"/api/v1/conversations/{KEY}"
OWN_NAME = "token:test admin"


@pytest.fixture
async def talk(store, gateway):
    """A conversation of three messages; the id of another one is the word `thread`."""
    save, now = Flushes(store), gateway.now()
    about = {"platform": PLATFORM, "account": ACCOUNT, "sender": Sender(id="u1", name="Li", role="customer")}
    for number in range(3):
        await save(stored(f"m{number}", CONVERSATION, at=now - 9 + number, text="hi", **about))
    await save(stored("x", "thread", at=now, **about), stored("y", "draft", at=now, **about))
    return now


@pytest.mark.usefixtures("talk")
async def test_a_thread_is_read_back_page_by_page_and_news_by_its_cursor(admin):
    first = (await admin.get(f"{ONE}/thread", params={"limit": 2})).json()
    assert [(one["kind"], one["id"]) for one in first["items"]] == [("message", "m1"), ("message", "m2")]
    assert first["complete"] is True
    older = (await admin.get(f"{ONE}/thread", params={"limit": 2, "before": first["older"]})).json()
    assert [one["id"] for one in older["items"]] == ["m0"]
    assert older["older"] is None
    noted = await note(admin, "look")
    read = {"after": first["newer"], "reach": older["reach"]}
    assert (await admin.get(f"{ONE}/thread", params=read)).json()["items"][0]["id"] == "m2"
    news = (await admin.get(f"{ONE}/thread", params={"after": first["newer"]})).json()
    assert [one["id"] for one in news["items"] if one["kind"] == "note"] == [noted.json()["note"]]
    encoded = f"/api/v1/conversations/{KEY.replace('/', '%2F')}/thread"
    assert [one["id"] for one in (await admin.get(encoded)).json()["items"]][:3] == ["m0", "m1", "m2"]


@pytest.mark.usefixtures("talk")
async def test_a_conversation_may_be_called_like_the_end_of_a_route(admin):
    for word in ("thread", "draft"):
        found = await admin.get(f"/api/v1/conversations/{PLATFORM}/{ACCOUNT}/{word}")
        assert found.json()["conversation"] == word
        below = await admin.get(f"/api/v1/conversations/{PLATFORM}/{ACCOUNT}/{word}/{word}")
        assert below.status_code == 200


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{ONE}x/thread", 404),
        (f"{ONE}/thread?limit=0", 422),
        (f"{ONE}/thread?before=x", 422),
        (f"{ONE}/thread?after=x", 422),
        (f"{ONE}/thread?before=a&after=b", 422),
        (f"{ONE}/thread?reach=a", 422),
        ("/api/v1/conversations/thread", 404),
    ],
)
async def test_a_thread_that_is_none_is_told_why(admin, path, status):
    assert (await admin.get(path)).status_code == status


def note(client, text, key="n-1", **more):
    return client.post(
        f"{ONE}/messages", json={"private": True, "text": text, **more}, headers={"Idempotency-Key": key}
    )


@pytest.mark.usefixtures("talk")
async def test_a_private_message_is_a_note_kept_once_and_nothing_leaves(admin, services):
    first = await note(admin, "ask @nobody")
    again = await note(admin, "ask @nobody")
    assert (first.status_code, first.json()["note"]) == (201, again.json()["note"])
    assert (await note(admin, "other")).status_code == 409
    assert (await admin.get("/api/v1/outbox")).json()["items"] == []
    [row] = await services.store.notes(KEY, 9)
    assert (row.text, row.who) == ("ask @nobody", OWN_NAME)


@pytest.mark.usefixtures("talk")
async def test_a_viewer_reads_the_thread_and_writes_nothing(as_role):
    async with await as_role("viewer") as viewer:
        assert (await viewer.get(f"{ONE}/thread")).status_code == 200
        assert (await note(viewer, "x")).status_code == 403
        assert (await viewer.put(f"{ONE}/draft", json={"text": "x"})).status_code == 403
        assert (await viewer.delete(f"{ONE}/draft")).status_code == 403


@pytest.mark.usefixtures("talk")
async def test_a_draft_is_kept_told_and_forgotten_and_is_ones_own(admin, as_role):
    empty = (await admin.get(f"{ONE}/draft")).json()
    assert (empty["text"], empty["changed_at"]) == ("", None)
    first = (await admin.put(f"{ONE}/draft", json={"text": "Dear", "note": "n", "mode": "note"})).json()
    second = (await admin.put(f"{ONE}/draft", json={"text": "Dear Li", "note": "n", "mode": "note"})).json()
    assert (first["replaced"], second["replaced"]) == (None, first["changed_at"])
    held = (await admin.get(f"{ONE}/draft")).json()
    assert held == {
        "mode": "note", "text": "Dear Li", "note": "n", "reply_to": None, "files": [],
        "changed_at": second["changed_at"],
    }  # fmt: skip
    async with await as_role("agent") as agent:
        assert (await agent.get(f"{ONE}/draft")).json()["changed_at"] is None
    await admin.delete(f"{ONE}/draft")
    assert (await admin.get(f"{ONE}/draft")).json()["changed_at"] is None
    assert (await admin.put(f"{ONE}x/draft", json={"text": "x"})).status_code == 404
    assert (await admin.put(f"{ONE}/draft", json={"txet": "x"})).status_code == 422
