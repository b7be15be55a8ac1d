"""Customer text is hostile: whatever it is, the answer is never 5xx and what is stored is what was sent."""

import base64
import json
import re
from urllib.parse import quote

import pytest

EVENTS = "/api/v1/events"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
FAULT = 500


@pytest.fixture(scope="session")
def bad_input(public_data):
    folder = public_data / "bad_input"
    if not folder.is_dir():
        pytest.skip(f"no bad input at {folder}")
    return folder


@pytest.fixture(scope="session")
def payloads(bad_input):
    found = []
    for name in ("strings.jsonl", "html_sanitise.jsonl"):
        lines = (bad_input / name).read_text(encoding="utf-8").strip().split("\n")
        found += [json.loads(line)["payload"] for line in lines]
    return found


@pytest.fixture(scope="session")
def sample(payloads):
    """Enough of them to ask one by one."""
    return payloads[:: max(1, len(payloads) // 150)]


def as_stored(text):
    return LONE_SURROGATE.sub("\ufffd", text)


async def every(client, path):
    items, cursor = [], None
    while True:
        answer = await client.get(path, params={"limit": 500} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def test_hostile_texts_are_stored_as_they_were_sent(live, live_admin, message, payloads):
    events = [message(n, text=text, seq=n) for n, text in enumerate(payloads)]
    answer = await live_admin.post(EVENTS, json=events)
    assert answer.json() == {"accepted": len(payloads), "rejected": []}
    await live.runtime.settled()
    stored = {row["message"]: row for row in await every(live_admin, "/api/v1/conversations/shopee/shop-1/c1/messages")}
    merged = 0
    for number, text in enumerate(payloads):
        row = stored.get(f"m{number}")
        if row is None:  # the same text again within two seconds is merged into the first
            merged += 1
            row = (await live.store.message("shopee/shop-1/c1", f"m{number}")) and {"text": as_stored(text)}
        assert row["text"] == as_stored(text)
    assert merged < len(payloads) / 10


async def test_hostile_ids_and_names_lead_back_to_their_message(live, live_admin, message, sample):
    events = [
        message(1, conversation=text, message=text, order=text, sender={"id": text, "name": text}) for text in sample
    ]
    answer = await live_admin.post(EVENTS, json=events)
    assert answer.status_code == 202
    refused = {refusal["index"] for refusal in answer.json()["rejected"]}
    await live.runtime.settled()
    for index, text in enumerate(sample):
        path = f"/api/v1/conversations/shopee/shop-1/{quote(text, safe='', errors='replace')}/messages"
        got = await live_admin.get(path)
        assert got.status_code < FAULT, (text, got.text)
        if index not in refused and got.status_code == 200 and text.isprintable():
            assert as_stored(text) in {row["message"] for row in got.json()["items"]}


async def test_hostile_query_parameters_are_answered(live_admin, sample):
    for text in sample:
        for path, name in (
            ("/api/v1/conversations", "q"),
            ("/api/v1/conversations", "cursor"),
            ("/api/v1/anomalies", "since"),
            ("/api/v1/anomalies", "platform"),
            ("/api/v1/audit", "subject"),
        ):
            value = as_stored(text)
            answer = await live_admin.get(path, params={name: value})
            assert answer.status_code < FAULT, (path, name, value, answer.text)


async def test_hostile_paths_are_answered(live_admin, sample):
    for text in sample:
        part = quote(text, safe="", errors="replace")
        for path in (f"/api/v1/anomalies/{part}", f"/api/v1/messages/{part}/trace", f"/webhooks/{part}/{part}"):
            answer = await live_admin.get(path)
            assert answer.status_code < FAULT, (path, answer.text)


async def test_hostile_bodies_are_answered(live_admin, bad_input):
    for line in (bad_input / "json_parsing.jsonl").read_text(encoding="utf-8").strip().split("\n"):
        case = json.loads(line)
        body = repeated(case["repeat"]) if "repeat" in case else base64.b64decode(case["b64"])
        for kind in ("application/json", "application/x-ndjson"):
            answer = await live_admin.post(EVENTS, content=body, headers={"Content-Type": kind})
            assert answer.status_code < FAULT, case["file"]
        for path in ("/api/v1/settings/thresholds", "/auth/login"):
            answer = await live_admin.request("PUT" if "settings" in path else "POST", path, content=body)
            assert answer.status_code < FAULT, case["file"]


def repeated(recipe):
    return (recipe["unit"] * recipe["count"] + recipe.get("suffix", "")).encode()


async def test_the_ledger_counts_what_was_refused(live, live_admin, message):
    events = [message(1), message(1), {"type": "nonsense"}, message(2, direction="sideways")]
    await live_admin.post(EVENTS, json=events)
    await live.runtime.settled()
    rows = await live.store.ledger()
    assert sum(row.accepted for row in rows) == 4
    assert sum(row.stored for row in rows) == 1
    assert sum(row.duplicates for row in rows) == 1
    assert sum(row.rejected for row in rows) == 2
