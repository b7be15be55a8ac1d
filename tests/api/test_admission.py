"""Bodies: not too many at once, not too slow, not cut off."""

import asyncio

import httpx
import pytest

from api import bodies

EVENTS = "/api/v1/events"


async def test_many_large_batches_at_once_are_asked_to_come_back(app, admin, message):
    admission = app.state.admission
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admission, "_most", 1000)
        request = httpx.Request("POST", "http://weir.test", content=b"x" * 500)
        with admission.batch(request):
            answer = await admin.post(EVENTS, json=[message(1)])
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
        assert (await admin.post(EVENTS, json=[message(1)])).status_code == 202


async def test_a_body_that_never_ends_is_given_up(app, admin, monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE_S", 0.05)
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    await app(scope_of(admin, app), receive, send)
    assert sent[0]["status"] == 408


async def test_a_sender_that_leaves_is_no_fault(app, admin, logged):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope_of(admin, app), receive, send)
    assert sent[0]["status"] == 400
    assert await logged() == []


def scope_of(client, app):
    headers = [(b"authorization", client.headers["authorization"].encode()), (b"host", b"weir.test")]
    base = {"type": "http", "method": "POST", "path": EVENTS, "raw_path": EVENTS.encode(), "query_string": b""}
    return base | {"headers": headers, "app": app, "http_version": "1.1", "scheme": "http", "root_path": ""}
