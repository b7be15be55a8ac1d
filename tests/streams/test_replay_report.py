"""The replay report: section 7, ruling 55."""

from __future__ import annotations

import json

import msgspec
import pytest

from streams.report import encode_report, nearest_ranks
from tests.actors.trace import DAY, Found, answer, auth, clock, message, notification, receipt, report_of

STORY = [
    message("m1", 0, sent=-1),
    message("m1", 1, sent=-1),
    message("m2", 2, account="us", text="where is my parcel", sender={"id": "u"}),
    message("m3", 3, account="us", text="where is my parcel", sender={"id": "u"}),
    answer("a1", 4),
    receipt("a1", 5, "read", event="k"),
    receipt("a1", 6, "read", event="k"),
    auth(7, "ok", platform="ebay", account="x"),
    clock(8),
    message("m4", 9, seq=-1),
    {"type": "nonsense"},
]


def test_the_parts_of_the_report_in_order():
    report = report_of(STORY)
    assert list(report) == ["events", "messages", "duplicates", "rejected", "anomalies", "sla", "channels", "ledger"]
    assert list(json.loads(encode_report(report))) == list(report)
    for name in (
        "id",
        "kind",
        "severity",
        "status",
        "platform",
        "account",
        "conversation",
        "message",
        "since",
        "opened_at",
    ):
        assert all(name in a for a in report["anomalies"])
    for name in ("resolved_at", "resolution", "evidence", "actions"):
        assert all(name in a for a in report["anomalies"])
    row = {"conversation", "kind", "started_at", "due_at", "warned_at", "breached_at", "answered_at"}
    assert all(set(r) == row for r in report["sla"])


def test_events_messages_and_duplicates():
    report = report_of(STORY)
    assert (report["events"], report["messages"], report["duplicates"]) == (9, 3, 2)
    assert [r["line"] for r in report["rejected"]] == [10, 11]
    assert all(set(r) == {"line", "error"} for r in report["rejected"])


def test_the_ledger_balances_in_all_and_per_channel():
    ledger = report_of(STORY)["ledger"]
    assert {k: v for k, v in ledger.items() if k != "channels"} == {
        "accepted": 11,
        "stored": 6,
        "duplicates": 3,
        "rejected": 2,
    }
    for row in (ledger, *ledger["channels"]):
        assert row["accepted"] == row["stored"] + row["duplicates"] + row["rejected"]
    for name in ("accepted", "stored", "duplicates", "rejected"):
        assert ledger[name] == sum(row[name] for row in ledger["channels"])
    names = [(row["platform"], row["account"]) for row in ledger["channels"]]
    assert names == [("ebay", "x"), ("shopee", "sg-1"), ("shopee", "us"), (None, None)]


def test_channels_and_their_numbers():
    channels = report_of(STORY)["channels"]
    assert [(c["platform"], c["account"], c["messages"], c["duplicates"]) for c in channels] == [
        ("ebay", "x", 0, 0),
        ("shopee", "sg-1", 2, 1),
        ("shopee", "us", 1, 1),
    ]
    assert channels[0]["delay_p50_s"] is None


def test_quantiles_are_of_corrected_delays_by_nearest_rank():
    delays = [n * 37 % 101 for n in range(1, 101)]  # each of 1 to 100 once, in no order
    story = [message(f"m{n}", 1000 + n, sent=1000 + n - d / 10) for n, d in enumerate(delays)]
    (channel,) = report_of(story)["channels"]
    assert (channel["delay_p50_s"], channel["delay_p99_s"]) == (5, 9.9)
    assert report_of([message("m1", 1, sent=0.5), message("m2", 2, sent=0)])["channels"][0]["delay_p50_s"] == 0.5
    ahead = [message("m1", 100, sent=110), message("m2", 101, sent=109), message("m3", 102, sent=107)]
    assert report_of(ahead)["channels"][0]["delay_p50_s"] == 2


def test_the_nearest_rank_is_exact_for_any_count():
    for count in range(1, 2001):
        counts = ((value, 1) for value in range(1, count + 1))
        exact = [-(-count * hundredths // 100) / 1000 for hundredths in (50, 95, 99, 100)]
        assert nearest_ranks(counts, count, (0.5, 0.95, 0.99, 1)) == exact, count
    assert nearest_ranks([(5, 3)], 3, (0.5, 1)) == [0.005, 0.005]
    assert nearest_ranks([], 0, (0.5, 1)) == [None, None]


def test_anomalies_are_ordered_by_opening_kind_and_id():
    story = [message(f"m{n}", n % 3, sent=-100, lang="th", conversation=f"c{n}") for n in range(12)]
    anomalies = report_of(story)["anomalies"]
    order = [(a["opened_at"], a["kind"], a["id"]) for a in anomalies]
    assert order == sorted(order)
    assert len(anomalies) == 36


def test_times_are_utc_with_milliseconds_and_null_where_there_is_none():
    found = report_of([message("m1", 0.001), notification("m1", 1)])
    assert found["sla"][0]["started_at"] == "2026-11-23T00:00:00.001Z"
    assert found["sla"][0]["answered_at"] is None
    assert "T" in found["channels"][0]["first_at"]


def test_the_same_trace_gives_the_same_bytes():
    first = encode_report(report_of(STORY))
    assert encode_report(report_of(STORY)) == first
    assert encode_report(report_of(STORY, partitions=5)) == first


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_a_clock_counts_once_whatever_it_says_besides(partitions):
    story = [clock(n) | extra for n, extra in enumerate([{}, {"platform": "p", "account": "a"}, {"platform": 5}])]
    report = report_of(story, partitions=partitions)
    assert report["events"] == 3
    assert report["ledger"]["stored"] == 3


@pytest.mark.parametrize("partitions", [2, 5])
def test_rejected_lines_are_accounted_alike_whatever_the_partitions(partitions):
    story = [message("m1", 0, account=f"a{n}", seq=-n) for n in range(9)]
    assert report_of(story, partitions=partitions) == report_of(story)


def test_a_report_is_json_of_plain_values():
    report = report_of([message("m1", 0, text="\u2028 สินค้า 😀", conversation="\U0001f600/\u0000%")])
    assert msgspec.json.decode(encode_report(report)) == report
    assert json.loads(encode_report(report)) == report


def test_an_open_clock_far_in_the_future_is_listed_as_running():
    found = Found(report_of([message("m1", 0), message("m2", 30 * DAY)]))
    assert len(found.sla) == 2
    assert {row.answered_at for row in found.sla} == {None}
