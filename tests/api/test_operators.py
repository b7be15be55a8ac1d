"""Anomalies, thresholds, conversations over HTTP, on a Weir at work."""

import asyncio
import time
from urllib.parse import quote

EVENTS = "/api/v1/events"
ANOMALIES = "/api/v1/anomalies"
THRESHOLDS = "/api/v1/settings/thresholds"
KEY = "shopee/shop-1/c1"


async def until(condition, seconds=10):
    """Wait until the condition holds; what it gave last."""
    end = time.monotonic() + seconds
    while not (found := await condition()) and time.monotonic() < end:  # noqa: ASYNC110 # HTTP has no event
        await asyncio.sleep(0.02)
    return found


async def a_failed_answer(live, client, message):
    """An open anomaly: an outbound message that the platform refused."""
    receipt = {"type": "receipt", "status": "failed", "platform": "shopee", "account": "shop-1"}
    receipt |= {"conversation": "c1", "message": "m1"}
    await client.post(EVENTS, json=[message(1, direction="out", sent_at=live.gateway.now()), receipt])
    await live.runtime.settled()
    items = (await client.get(ANOMALIES, params={"status": "open", "kind": "loss"})).json()["items"]
    assert len(items) == 1
    return items[0]


async def test_acknowledging_answers_with_the_anomaly_as_it_will_be(live, live_admin, message):
    anomaly = await a_failed_answer(live, live_admin, message)
    told = (await live_admin.post(f"{ANOMALIES}/{anomaly['id']}/acknowledge")).json()
    assert (told["status"], told["acknowledged_by"]) == ("acknowledged", "token:test")
    await live.runtime.settled()
    stored = (await live_admin.get(f"{ANOMALIES}/{anomaly['id']}")).json()
    assert stored["status"] == "acknowledged"
    assert stored["acknowledged_by"] == told["acknowledged_by"]


async def test_the_unresolved_of_one_cause_are_listed_whether_acknowledged_or_not(live, live_admin, message):
    anomaly = await a_failed_answer(live, live_admin, message)

    async def listed(**where):
        answer = await live_admin.get(ANOMALIES, params=where)
        return [item["id"] for item in answer.json()["items"]]

    for action in ("acknowledge", "resolve"):
        assert await listed(unresolved=True, cause="outbound") == [anomaly["id"]]
        assert await listed(unresolved=True, cause="gap") == []
        await live_admin.post(f"{ANOMALIES}/{anomaly['id']}/{action}")
        await live.runtime.settled()
    assert await listed(unresolved=True) == []
    assert await listed(unresolved=False, cause="outbound") == [anomaly["id"]]


async def test_resolving_by_hand_ends_it_for_good(live, live_admin, message):
    anomaly = await a_failed_answer(live, live_admin, message)
    path = f"{ANOMALIES}/{anomaly['id']}/resolve"
    told = (await live_admin.post(path, json={"cause": "the customer rang"})).json()
    assert (told["status"], told["resolution"], told["cause"]) == ("resolved", "manual", "the customer rang")
    await live.runtime.settled()
    stored = (await live_admin.get(f"{ANOMALIES}/{anomaly['id']}")).json()
    assert {**stored, "resolved_at": 0} == {**told, "resolved_at": 0}
    assert (await live_admin.post(path)).status_code == 409


async def test_a_false_alarm_is_a_resolution_with_that_cause(live, live_admin, message):
    anomaly = await a_failed_answer(live, live_admin, message)
    told = (await live_admin.post(f"{ANOMALIES}/{anomaly['id']}/false-alarm")).json()
    assert (told["status"], told["cause"]) == ("resolved", "false_alarm")


async def test_without_a_connector_nothing_can_be_fetched_again(live, live_admin, message):
    anomaly = await a_failed_answer(live, live_admin, message)
    answer = await live_admin.post(f"{ANOMALIES}/{anomaly['id']}/resync")
    assert answer.status_code == 409
    assert "no connector" in answer.json()["detail"]


async def test_every_action_is_audited(live, live_admin, message):
    anomaly = await a_failed_answer(live, live_admin, message)
    for action in ("acknowledge", "resync", "resolve"):
        await live_admin.post(f"{ANOMALIES}/{anomaly['id']}/{action}")
    rows = (await live_admin.get("/api/v1/audit", params={"subject": f"anomaly {anomaly['id']}"})).json()["items"]
    assert [row["what"] for row in rows] == ["anomaly.resolved", "anomaly.resync", "anomaly.acknowledged"]
    assert {row["who"] for row in rows} == {"token:test"}


async def test_a_changed_threshold_judges_what_comes_next(live, live_admin, message):
    changed = await live_admin.put(THRESHOLDS, json={"set": ["shopee:delay.threshold_s=5"], "version": 0})
    assert changed.status_code == 200
    now = live.gateway.now()
    await live_admin.post(EVENTS, json=[message(1, sent_at=now - 10_000), message(2, sent_at=now - 1000)])
    await live.runtime.settled()
    items = (await live_admin.get(ANOMALIES, params={"kind": "delay"})).json()["items"]
    assert [item["message"] for item in items] == ["m1"]
    assert items[0]["evidence"]["threshold_s"] == 5
    told = (await live_admin.get(THRESHOLDS)).json()
    assert told["overrides"] == {"shopee": {"delay.threshold_s": 5}}
    assert told["global"]["delay.threshold_s"] == 30
    stale = await live_admin.put(THRESHOLDS, json={"set": ["delay.threshold_s=9"], "version": 0})
    assert stale.status_code == 409


async def test_a_wrong_threshold_is_explained(live_admin):
    answer = await live_admin.put(THRESHOLDS, json={"set": ["delay.treshold_s=5"]})
    assert answer.status_code == 422
    assert "delay.threshold_s" in answer.json()["detail"]


async def test_conversations_are_found_by_either_way_of_writing_their_key(live, live_admin, message):
    await live_admin.post(EVENTS, json=[message(1, conversation="a/b%c"), message(2, conversation="plain")])
    await live.runtime.settled()
    key = "shopee/shop-1/a%2Fb%25c"
    for written in (key, quote(key, safe="")):
        told = await live_admin.get(f"/api/v1/conversations/{written}")
        assert told.json()["key"] == key, written
        messages = (await live_admin.get(f"/api/v1/conversations/{written}/messages")).json()["items"]
        assert [row["message"] for row in messages] == ["m1"]
        trace = await live_admin.get(f"/api/v1/messages/{written}/m1/trace")
        assert [hop["hop"] for hop in trace.json()["hops"]][:5] == ["sent", "received", "logged", "processed", "stored"]


async def test_a_conversation_named_like_a_subpage_is_still_one(live, live_admin, message):
    await live_admin.post(EVENTS, json=[message(1, conversation="messages")])
    await live.runtime.settled()
    told = await live_admin.get("/api/v1/conversations/shopee/shop-1/messages")
    assert told.json()["conversation"] == "messages"
    told = await live_admin.get("/api/v1/conversations/shopee/shop-1/messages/messages")
    assert len(told.json()["items"]) == 1


async def test_pages_follow_each_other_without_gap_or_repeat(live, live_admin, message):
    await live_admin.post(EVENTS, json=[message(n, conversation=f"c{n:02}", text=str(n)) for n in range(25)])
    await live.runtime.settled()
    found, cursor = [], None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = (await live_admin.get("/api/v1/conversations", params=params)).json()
        found += [item["conversation"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(found) == [f"c{n:02}" for n in range(25)]


async def test_a_message_is_found_by_its_exact_id_in_whatever_conversation(live, live_admin, message):
    sent = [message(1, conversation="a"), message(1, conversation="b/1", account="shop-2"), message(12)]
    await live_admin.post(EVENTS, json=sent)
    await live.runtime.settled()
    found = await live_admin.get("/api/v1/messages", params={"message": "m1"})
    assert sorted(item["key"] for item in found.json()["items"]) == ["shopee/shop-1/a", "shopee/shop-2/b%2F1"]
    assert (await live_admin.get("/api/v1/messages", params={"message": "m"})).json() == {"items": []}
    assert (await live_admin.get("/api/v1/messages")).status_code == 422


async def test_a_weir_at_work_is_ready_and_gives_figures(live, live_admin, message):
    await live_admin.post(EVENTS, json=[message(1), {"type": "nonsense"}])
    await live.runtime.settled()

    async def ready():
        return (await live_admin.get("/readyz")).status_code == 200

    assert await until(ready)
    text = (await live_admin.get("/metrics")).text
    assert "weir_events_accepted_total 1.0" in text
    assert "weir_events_rejected_total 1.0" in text
    assert "weir_ledger_imbalance 0.0" in text
    assert "shop-1" not in text


async def test_a_preview_tells_what_other_thresholds_would_have_found(live, live_admin, message):
    now = live.gateway.now()
    late = [message(n, conversation=f"c{n}", sent_at=now - 10_000, text=f"text {n}") for n in range(30)]
    await live_admin.post(EVENTS, json=late)
    await live.runtime.settled()
    body = {"set": ["delay.threshold_s=5"], "since": now - 60_000, "until": now + 60_000}
    answer = await live_admin.post(f"{THRESHOLDS}/preview", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["current"]["delay"], told["stored"]["delay"]) == (0, 0)
    assert told["proposed"]["delay"] >= 30
    series = await live_admin.get(f"{THRESHOLDS}/series", params={"name": "delay.threshold_s", "since": now - 60_000})
    assert series.status_code == 200
    wrong = await live_admin.post(f"{THRESHOLDS}/preview", json={"set": ["nonsense=5"]})
    assert wrong.status_code == 422
