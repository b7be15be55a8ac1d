"""POST /api/v1/events: what is accepted is durable, what is wrong is refused one by one."""

import gzip
import json

import pytest

from actors.events import Message, Rejected
from streams.ports import LogFullError, OverloadedError

EVENTS = "/api/v1/events"
GZIP = {"Content-Encoding": "gzip"}
HOUR = 3_600_000


async def test_an_array_is_accepted_and_in_the_log(admin, message, logged):
    answer = await admin.post(EVENTS, json=[message(1), message(2)])
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 2, "rejected": []}
    assert [entry.message for entry in await logged()] == ["m1", "m2"]


async def test_one_object_and_ndjson_are_accepted_too(admin, message):
    assert (await admin.post(EVENTS, json=message(1))).json()["accepted"] == 1
    lines = "\n".join(json.dumps(message(n)) for n in range(3)) + "\n\n"
    headers = {"Content-Type": "application/x-ndjson"}
    assert (await admin.post(EVENTS, content=lines, headers=headers)).json()["accepted"] == 3


async def test_an_array_sent_as_ndjson_is_an_array_and_a_line_that_is_one_spoils_only_itself(admin, message):
    headers = {"Content-Type": "application/x-ndjson"}
    array = json.dumps([message(1), message(2)])
    assert (await admin.post(EVENTS, content=array, headers=headers)).json() == {"accepted": 2, "rejected": []}
    lines = "[1]\n" + json.dumps(message(3))
    told = (await admin.post(EVENTS, content=lines, headers=headers)).json()
    assert (told["accepted"], [refusal["index"] for refusal in told["rejected"]]) == (1, [0])


async def test_one_bad_event_never_spoils_the_others(admin, message, logged):
    answer = await admin.post(EVENTS, json=[message(1), {"type": "message"}, message(2), 7])
    assert answer.status_code == 202
    told = answer.json()
    assert told["accepted"] == 2
    assert [refusal["index"] for refusal in told["rejected"]] == [1, 3]
    assert all(refusal["error"] for refusal in told["rejected"])
    entries = await logged()
    assert sum(isinstance(entry, Message) for entry in entries) == 2
    assert sum(isinstance(entry, Rejected) for entry in entries) == 2


async def test_a_refused_event_is_journalled_with_its_channel_reason_and_bytes(admin, message, logged):
    await admin.post(EVENTS, json=[message(1, direction="sideways")])
    [entry] = await logged()
    assert (entry.platform, entry.account) == ("shopee", "shop-1")
    assert "direction" in entry.reason
    assert b"sideways" in entry.raw


async def test_an_event_without_observed_time_gets_the_gateways(admin, message, logged, gateway):
    before = gateway.now()
    await admin.post(EVENTS, json=[message(1)])
    [entry] = await logged()
    assert before <= entry.at <= gateway.now()


async def test_an_event_far_ahead_is_refused_and_one_a_day_ahead_is_not(admin, message, gateway):
    events = [message(1, at=gateway.now() + 49 * HOUR), message(2, at=gateway.now() + 24 * HOUR)]
    told = (await admin.post(EVENTS, json=events)).json()
    assert told["accepted"] == 1
    assert told["rejected"][0]["index"] == 0
    assert "48 hours" in told["rejected"][0]["error"]


async def test_a_gzip_body_is_understood(admin, message):
    body = gzip.compress(json.dumps([message(n) for n in range(50)]).encode())
    assert (await admin.post(EVENTS, content=body, headers=GZIP)).json()["accepted"] == 50


async def test_gzip_members_one_after_another_are_one_body(admin, message):
    parts = [json.dumps(message(n)).encode() + b"\n" for n in range(2)]
    body = b"".join(gzip.compress(part) for part in parts)
    assert (await admin.post(EVENTS, content=body, headers=GZIP)).json()["accepted"] == 2


async def test_a_gzip_bomb_is_too_large(admin):
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 200_000
    assert (await admin.post(EVENTS, content=bomb, headers=GZIP)).status_code == 413


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"[]")[:-5], b""])
async def test_a_broken_gzip_body_is_a_bad_request_or_empty(admin, body):
    answer = await admin.post(EVENTS, content=body, headers=GZIP)
    assert answer.status_code == (400 if body else 202)


async def test_an_unknown_encoding_is_refused(admin):
    answer = await admin.post(EVENTS, content=b"[]", headers={"Content-Encoding": "br"})
    assert answer.status_code == 415


async def test_a_body_over_the_limit_is_too_large_and_nothing_is_accepted(admin, message, logged):
    answer = await admin.post(EVENTS, json=[message(n, text="x" * 1000) for n in range(300)])
    assert answer.status_code == 413
    assert await logged() == []


async def test_too_many_events_are_too_large(admin):
    assert (await admin.post(EVENTS, content="[" + ",".join("{}" * 1 for _ in range(1001)) + "]")).status_code == 413


async def test_a_body_that_is_no_json_array_is_refused_whole(admin, logged):
    answer = await admin.post(EVENTS, content=b'[{"type": "message"')
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert await logged() == []


async def test_an_empty_batch_is_fine(admin):
    assert (await admin.post(EVENTS, json=[])).json() == {"accepted": 0, "rejected": []}


class RefusingGateway:
    """A gateway whose log takes nothing."""

    def __init__(self, error):
        self.error = error

    def now(self):
        return 1_800_000_000_000

    async def submit(self, _entries):
        raise self.error


async def test_overload_says_when_to_come_back(admin, services, message):
    services.ingest._gateway = RefusingGateway(OverloadedError(3))
    answer = await admin.post(EVENTS, json=[message(1)])
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"


async def test_a_full_disk_is_unavailable_not_a_fault(admin, services, message):
    services.ingest._gateway = RefusingGateway(LogFullError("the disk is full; free space"))
    answer = await admin.post(EVENTS, json=[message(1)])
    assert answer.status_code == 503
    assert "disk is full" in answer.json()["detail"]


async def test_only_some_roles_may_send_events(as_role, message):
    for role, status in (("supervisor", 202), ("agent", 403), ("finance", 403), ("viewer", 403)):
        async with await as_role(role) as client:
            assert (await client.post(EVENTS, json=[message(1)])).status_code == status


async def test_a_webhook_of_a_channel_that_is_not_bound_is_not_found(stranger):
    answer = await stranger.post("/webhooks/shopee/shop-1", content=b"{}")
    assert answer.status_code == 404
    assert "no channel shopee/shop-1 is bound" in answer.json()["detail"]


async def test_what_was_refused_is_shown_with_its_reason_and_without_personal_data(admin):
    raw = b'{"type": "message", "platform": "shopee", "account": "shop-1", "text": "I am ann@shop.example", "seq": -1}'
    await admin.post("/api/v1/events", content=raw, headers={"Content-Type": "application/json"})
    found = (await admin.get("/api/v1/refusals", params={"platform": "shopee", "account": "shop-1"})).json()
    (one,) = found["items"]
    assert found["complete"]
    assert (one["platform"], one["account"], one["size"]) == ("shopee", "shop-1", len(raw))
    assert one["reason"]
    assert "ann@shop.example" not in one["raw"]


async def test_only_who_may_see_dead_letters_sees_what_was_refused(as_role):
    async with await as_role("agent") as agent:
        assert (await agent.get("/api/v1/refusals")).status_code == 403
