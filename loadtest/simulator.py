"""A simulated sale: a stream of events as Weir would observe them, and the anomalies it implies.

Everything follows from the seed. Traffic without a trouble is clean under every detector at its default threshold;
each trouble strikes only where what follows from it is certain, so that the truth is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import msgspec
from msgspec import Struct

from loadtest.arrivals import Arrivals
from loadtest.checkpoints import Checkpoints
from loadtest.fates import Fates
from loadtest.incidents import DAY_MS, Incidents
from loadtest.options import SimulationOptions, parse_faults
from loadtest.plan import Plan
from loadtest.roster import shops
from loadtest.shapes import arrivals, endless, slots
from loadtest.truth import Expect, TruthFile
from loadtest.world import NEVER, Channel, Event, World, event_of, window_for
from loadtest.writers import Writers

MEAN_GAP_MS = 58_000
"""Between two messages of a conversation, before scaling."""
CONVERSATION_PART = 0.35
"""A conversation of mean length takes at most this part of the whole trace."""
CLOCK_EVERY_MS = 300_000
WRITE_AT = 1 << 20


class TraceSummary(Struct, frozen=True, kw_only=True):
    """What was written: events of all types, messages sent, expected anomalies by kind, when the last event is."""

    events: int
    messages: int
    anomalies: dict[str, int]
    ended_at: int


class Simulation:
    """One sale. Iterate over `events` once.

    `per_second` makes it endless, with so many messages a second; conversations are numbered from `begun` on.
    """

    def __init__(
        self, options: SimulationOptions, expect: Expect, *, per_second: float | None = None, begun: int = 0
    ) -> None:
        self.world = World(options, expect)
        self.options = options
        finite = None if per_second else options.messages
        self._plan = Plan(self.world.rng, options.faults, finite)
        self._arrivals = Arrivals(self.world, self._plan, Fates(self.world))
        count = options.conversation_count
        mean = options.messages / count if finite else 8.0
        length = options.length_ms
        scale = options.pace or (min(1.0, CONVERSATION_PART * length / (mean * MEAN_GAP_MS)) if finite else 0.5)
        self._writers = Writers(self.world, self._plan, self._arrivals, scale, begun)
        incidents = Incidents(self.world, self._plan, self._resume)
        self._arrivals.attempt = incidents.attempt
        self._arrivals.guard = self._guard
        self._arrivals.fates.resend = self._writers.resend
        self._committed = 0
        self._left = count
        rng = self.world.rng
        self._starts = (
            endless(rng, options.start, per_second / mean)
            if per_second
            else arrivals(rng, self._slots(length), options.start, length, count)
        )
        self._mean = mean if per_second else None
        self._open_shops(per_second or options.messages / (length / 1000))

    def events(self) -> Iterator[Event]:
        """Every event in the order of its observation."""
        world = self.world
        agenda = world.agenda
        while len(agenda) > world.guards:
            at, what, subject = world.next()
            event = subject if what is None else what(at, subject)
            if event is not None:
                yield event
        self._arrivals.fates.unresolved()
        for channel in world.channels:
            self._arrivals.slowness_known(channel, None)

    def _slots(self, length: int) -> Sequence[float]:
        options = self.options
        return options.curve or slots(options.profile, options.start, length)

    def _open_shops(self, per_second: float) -> None:
        world, options = self.world, self.options
        checkpoints = Checkpoints(world, self._plan, self._arrivals)
        roster = shops(options.channels, options.messages, options.mark)
        total = sum(shop.weight for shop in roster)
        for number, shop in enumerate(roster):
            window = window_for(per_second * shop.weight / total)
            channel = Channel(shop, window, options.start)
            world.channels.append(channel)
            at = options.start + number
            world.post(at, event_of("auth", channel, at, status="ok", expires_at=at + 60 * DAY_MS))
            self._writers.history(at, channel)
            checkpoints.start(channel)
        self._weights = list(accumulate(shop.weight for shop in roster))
        self._next_start()
        world.call(options.start + CLOCK_EVERY_MS, self._clock, None)

    def _next_start(self) -> None:
        at = next(self._starts, None)
        if at is not None:
            self.world.call(max(at, self.options.start + 1000), self._start, None)

    def _start(self, at: int, _subject: None) -> None:
        world = self.world
        rng = world.rng
        if world.closing:
            return
        channel = rng.choices(world.channels, cum_weights=self._weights)[0]
        messages = self._planned()
        if messages:
            self._begin(at, (channel, messages))
        self._next_start()

    def _begin(self, at: int, subject: tuple[Channel, int]) -> None:
        """Begin a conversation, or put it off while its channel is silent (again)."""
        world, (channel, messages) = self.world, subject
        if world.closing:
            return
        if at < channel.muted_until:
            world.call(channel.muted_until + world.between(0.5, 40), self._begin, subject)
        else:
            self._writers.begin(at, channel, messages)

    def _planned(self) -> int:
        rng = self.world.rng
        if self._mean is not None:
            return 1 + int(rng.expovariate(1 / (self._mean - 0.5)))
        unplanned = self.options.messages - self._committed
        mean = unplanned / max(1, self._left)
        self._left -= 1
        longer = int(rng.expovariate(1 / (mean - 0.5))) if mean > 1 else 0
        messages = unplanned if self._left == 0 else min(1 + longer, unplanned)
        self._committed += messages
        return messages

    def _resume(self, at: int, channel: Channel) -> None:
        """A silent channel speaks again."""
        self._committed += 2
        self._writers.begin(at, channel, 2, latency_ms=400)

    def _guard(self, at: int, channel: Channel) -> None:
        """Make a channel speak that would soon look silent."""
        world = self.world
        world.guards -= 1
        if at != channel.guard_at:
            return
        channel.guard_at = NEVER
        deadline = channel.must_speak_at()
        if deadline > at:
            channel.guard_at = deadline
            world.guards += 1
            world.call(deadline, self._guard, channel)
            return
        messages = 1 if world.closing else 2
        self._committed += messages
        self._writers.begin(at, channel, messages, latency_ms=300)

    def _clock(self, at: int, _subject: None) -> Event:
        if not self.world.closing:
            self.world.call(at + CLOCK_EVERY_MS, self._clock, None)
        return {"type": "clock", "at": at}


def simulate(options: SimulationOptions, expect: Expect) -> Iterator[Event]:
    """Every event of a sale as a dict, in order; `expect` is called with each anomaly that it implies."""
    return Simulation(options, expect).events()


def write_trace(
    options: SimulationOptions, out: Path, truth: Path, progress: Callable[[int], None] | None = None
) -> TraceSummary:
    """Write a trace (NDJSON) and its ground truth (JSON); `progress` hears the messages sent so far. Raises OSError."""
    encode = msgspec.json.Encoder().encode_into
    events, at = 0, options.start
    with out.open("wb") as lines, truth.open("wb") as expectations:
        implied = TruthFile(expectations, options)
        simulation = Simulation(options, implied)
        buffer = bytearray()
        for event in simulation.events():
            encode(event, buffer, -1)
            buffer += b"\n"
            events += 1
            at = event["at"]
            if len(buffer) > WRITE_AT:
                lines.write(buffer)
                buffer.clear()
                if progress is not None:
                    progress(simulation.world.sent)
        lines.write(buffer)
        messages = simulation.world.sent
        implied.close(events=events, messages=messages)
    if progress is not None:
        progress(messages)
    return TraceSummary(events=events, messages=messages, anomalies=dict(sorted(implied.counts.items())), ended_at=at)


__all__ = ["Simulation", "SimulationOptions", "TraceSummary", "parse_faults", "simulate", "write_trace"]
