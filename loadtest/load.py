"""One load test: how much, how long, how fast the sale's time passes; and the sale made to fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import inf
from random import Random
from typing import Any

from msgspec import Struct

from actors.errors import ConfigurationError
from loadtest.feed import APART_MS, Feed
from loadtest.options import SimulationOptions
from loadtest.peak import HIGHEST, MEAN, PEAK_DAY, Curve
from loadtest.shapes import HOUR_MS
from loadtest.simulator import Simulation
from loadtest.tally import break_event
from loadtest.truth import Expected
from loadtest.world import Event

EVENTS_PER_MESSAGE = 3.1
"""About so many: a message and what follows from it; counted exactly before the start."""
MESSAGES_PER_CONVERSATION = 6
BROKEN = 0.001
"""The share of events that no product can accept."""
TAIL_MS = 20 * 60_000
"""Stories begun at the end of the sale are told to their end after it."""
APART_FROM_EARLIER_MS = 15 * 60_000
PACE = 0.04
"""People write this fast (1: as in life), so that a burst of the curve is a burst of messages and not a hill."""


class LoadOptions(Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        minutes: how long the sale lasts by the clock.
        peak: events a second in the highest slot of the curve, 30 times a normal day.
        speed: seconds of the sale in one second of the clock.
        shops: channels.
        senders: connections of the platforms' webhooks at the peak; fewer when the curve is lower.
        agents: people in the inbox.
        operators: people at the monitor.
        seed: the same seed gives the same sale.
        pid: the server's process when it is on this machine; 0: not known.
    """

    minutes: float = 1.0
    peak: float = 1_500.0
    speed: float = 3.0
    shops: int = 48
    senders: int = 40
    agents: int = 4
    operators: int = 2
    seed: int = 1
    pid: int = 0

    def __post_init__(self) -> None:
        for name in ("minutes", "peak", "speed", "shops", "senders"):
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"{name} must be more than 0, not {getattr(self, name)!r}")
        if self.agents < 0 or self.operators < 0:
            raise ConfigurationError("agents and operators cannot be fewer than none")

    @property
    def seconds(self) -> float:
        """How long the sale lasts by the clock."""
        return self.minutes * 60

    @property
    def curve(self) -> Curve:
        """The events a second that are wanted."""
        return Curve(self.seconds, self.peak)

    @property
    def normal(self) -> float:
        """Events a second of a normal day, the curve's unit."""
        return self.peak / HIGHEST

    @property
    def mean(self) -> float:
        """Events a second over the whole run."""
        return self.normal * MEAN


class Sale(Struct, kw_only=True):
    """A sale about to be sent: its events by `feed`, and what must be found."""

    options: SimulationOptions
    feed: Feed
    truth: list[Expected]
    last_at: Callable[[], int]


def sale(options: LoadOptions, *, now: int, newest: int = 0, clock: Callable[[], float] = time.monotonic) -> Sale:
    """The sale that makes so much load.

    It lies in the past and ends about `now` (ms), so that no partition's time runs ahead of the world's; but it begins
    after `newest`, the last thing the product has heard, since a partition's time never goes back.
    """
    length = int(options.seconds * options.speed * 1000)
    start = max(now - length - TAIL_MS, newest + APART_FROM_EARLIER_MS if newest else 0)
    messages = max(1, round(options.curve.total / EVENTS_PER_MESSAGE))
    found = _count(_simulated(options, messages, start, length, now))
    chosen = _simulated(options, max(1, round(messages * options.curve.total / found)), start, length, now)
    share = _count(chosen) / options.curve.total
    curve, truth, last = options.curve, list[Expected](), [start]
    events = _watched(Simulation(chosen, truth.append).events(), Random(options.seed), last)  # noqa: S311 # repeatable

    def quota(elapsed_s: float) -> float:
        return curve.count(elapsed_s) * share if elapsed_s < curve.seconds else inf

    return Sale(options=chosen, feed=Feed(events, quota, clock), truth=truth, last_at=lambda: last[0])


def _simulated(options: LoadOptions, messages: int, start: int, length: int, now: int) -> SimulationOptions:
    return SimulationOptions(
        messages=messages,
        conversations=max(1, messages // MESSAGES_PER_CONVERSATION),
        seed=options.seed,
        start=start,
        hours=length / HOUR_MS,
        channels=options.shops,
        curve=PEAK_DAY,
        pace=PACE,
        leeway_ms=2 * APART_MS,
        mark=_mark(now),
    )


def _count(options: SimulationOptions) -> int:
    """How many events a simulation has."""
    return sum(1 for _ in Simulation(options, lambda _: None).events())


def _watched(events: Iterator[Event], rng: Random, last: list[int]) -> Iterator[Event]:
    """The events, a few broken ones between them; `last` is kept at the time of the latest."""
    known: set[tuple[Any, Any]] = set()
    for event in events:
        last[0] = event["at"]
        yield event
        if event["type"] == "message" and rng.random() < BROKEN * EVENTS_PER_MESSAGE:
            channel = (event["platform"], event["account"])
            if channel in known:
                yield break_event(event)
            known.add(channel)


def _mark(now: int) -> str:
    """A word for this run, from its time."""
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    number, word = now // 100, ""
    while number:
        number, digit = divmod(number, len(digits))
        word = digits[digit] + word
    return word[-6:]
