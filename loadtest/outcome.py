"""What a load test found: one record, as JSON for machines; `loadtest.report` makes a page of it for people."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from loadtest.balance import Balance
from loadtest.delays import Quantiles, quantiles
from loadtest.deployment import milliseconds
from loadtest.feed import APART_MS
from loadtest.load import LoadOptions, Sale
from loadtest.peak import HIGHEST
from loadtest.score import score
from loadtest.tally import Tally

NAMED_MOST = 10
VERSION = 1


class Used(Struct, frozen=True, kw_only=True):
    """One look at the server's process: cores it kept busy since the look before, memory it holds.

    `generator`: cores that the load test itself kept busy.
    """

    at_s: float
    cores: float
    memory_mib: float
    generator: float = 0.0


class Load(Struct, frozen=True, kw_only=True):
    """What was sent.

    `busiest` and `mean` are answered events a second, `mean` over the `took_s` it really took; `stood_s`: how long
    events were due and had to wait for slower channels; `refused`: requests answered 429 or 503, `retried`: those
    without an answer.
    """

    events: int
    posts: int
    broken: int
    took_s: int
    mean: float
    busiest: int
    busiest_over_normal: float
    stood_s: float
    refused: int
    retried: int


class Request(Struct, frozen=True, kw_only=True):
    """What Locust counted under one name; times in ms."""

    name: str
    count: int
    failures: int
    p50_ms: float
    p99_ms: float


class Outcome(Struct, kw_only=True):
    """The whole load test. `problems` says why it did not pass; `answer`, `shown` and `readable` are delays in ms.

    Attributes:
        answer: from sending a request to its 202.
        shown: from the 202 to the push after which the monitor's ledger counts the events.
        readable: from the 202 to the message being readable over the API.
        score: anomalies found against those injected; None when not all of the sale was sent.
        too_close: delays left out of the score, see `too_close`.
        settled_s: how long the product worked on after the last answer.
    """

    version: int = VERSION
    options: LoadOptions
    mark: str
    load: Load
    balance: Balance
    answer: Quantiles
    shown: Quantiles
    readable: Quantiles
    score: dict[str, Any] | None
    too_close: int
    used: list[Used]
    settled_s: float
    problems: list[str]
    requests: list[Request] = []
    python: str = platform.python_version()
    machine: str = platform.platform()

    @property
    def passed(self) -> bool:
        """Whether nothing is lost, double or unanswered."""
        return not self.problems


def judged(
    *,
    options: LoadOptions,
    sale: Sale,
    tally: Tally,
    balance: Balance,
    found: Sequence[dict[str, Any]],
    answer_ms: Sequence[float],
    shown_ms: Sequence[float],
    seen_ms: Sequence[float],
    never_seen: Sequence[str],
    used: Iterable[Used],
    settled_s: float,
    sent: bool,
    broken_off: str,
) -> Outcome:
    """Put together what was measured, and say what is wrong with it."""
    problems = list(balance.problems)
    if broken_off:
        problems.append(f"broken off: {broken_off}")
    elif not sent:
        problems.append("stopped before everything was sent")
    problems += [f"answered wrongly: {what}" for what in tally.wrongly]
    problems += [f"accepted and never readable: {name}" for name in never_seen[:NAMED_MOST]]
    expected: list[dict[str, Any]] = msgspec.to_builtins(sale.truth)
    close = too_close(found)
    result = None
    if sent:
        found = [a for a in found if not is_silence_after(a, sale.last_at())]
        report, truth = ({"anomalies": [a for a in rows if _message(a) not in close]} for rows in (found, expected))
        result = score(report, truth)
    return Outcome(
        options=options,
        mark=sale.options.mark,
        load=_load(options, sale, tally),
        balance=balance,
        answer=quantiles(answer_ms),
        shown=quantiles(shown_ms),
        readable=quantiles(seen_ms),
        score=result.as_dict() if result else None,
        too_close=len(close),
        used=list(used),
        settled_s=round(settled_s, 1),
        problems=problems,
    )


def too_close(found: Iterable[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Messages whose delay is past the threshold by no more than channels of one partition may be apart.

    Whether such a delay is one depends on the order in which the channels' events came, which no simulator knows.
    """
    close: set[tuple[Any, ...]] = set()
    for anomaly in found:
        if anomaly["kind"] == "delay" and anomaly["message"] is not None:
            evidence = anomaly["evidence"]
            if evidence["delay_s"] - evidence["threshold_s"] <= APART_MS / 1000:
                close.add(_message(anomaly))
    return close


def is_silence_after(anomaly: dict[str, Any], last: int) -> bool:
    """Whether a channel is called silent after the last event (ms): the sale is over, it means nothing."""
    silent = anomaly["kind"] == "channel_silent" and "probability" in anomaly["evidence"]
    return silent and milliseconds(anomaly["opened_at"]) > last


def _message(anomaly: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(anomaly[name] for name in ("kind", "platform", "account", "conversation", "message"))


def _load(options: LoadOptions, sale: Sale, tally: Tally) -> Load:
    busiest = max(tally.by_second.values(), default=0)
    took = max(tally.by_second, default=0) - min(tally.by_second, default=0) + 1
    return Load(
        events=tally.events,
        posts=tally.posts,
        broken=tally.broken,
        took_s=took,
        mean=round(tally.events / took, 1),
        busiest=busiest,
        busiest_over_normal=round(busiest / (options.peak / HIGHEST), 1),
        stood_s=round(sale.feed.stood_s, 1),
        refused=tally.refused,
        retried=tally.retried,
    )
