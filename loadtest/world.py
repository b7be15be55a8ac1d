"""The simulated world: its agenda in virtual time, its channels, its conversations."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any, TypeAlias

from loadtest.options import SimulationOptions
from loadtest.roster import Shop
from loadtest.shapes import HOUR_MS
from loadtest.truth import Expect, Expected

Event: TypeAlias = dict[str, Any]

NEVER = 1 << 62
DAY_HOURS = 24
RECENT = 20
"""How many messages the detectors look back on for clock offset and median."""
QUIET_LEAST_MS = 48_000
"""No channel is quiet for longer without a message that makes it speak, whatever rate it is known for ..."""
QUIET_MOST_EXPECTED = 8.0
"""... or for so long that this many messages were to be expected; the detector waits for 60 s and 13.8 messages."""
LEARNED_LEAST = 45
WINDOWS_S = (60, 120, 300, 600, 900, 1800, 3600)
WINDOW_MESSAGES = 45


class Channel:
    """One shop while the sale runs: what its platform knows and what Weir has seen of it."""

    __slots__ = (
        "absent_late",
        "account",
        "authorised",
        "first_window",
        "guard_at",
        "hours",
        "idle_ms",
        "last_in",
        "learned",
        "lived_to",
        "muted_until",
        "numbered",
        "opened_at",
        "over",
        "pace_ms",
        "platform",
        "recent",
        "seen_at",
        "shop",
        "silent_since",
        "slow",
        "slow_open",
        "window_ms",
        "windows",
    )

    def __init__(self, shop: Shop, window_ms: int, start: int) -> None:
        self.shop = shop
        self.platform = shop.platform
        self.account = shop.account
        self.authorised = True
        self.numbered = 0
        self.recent: deque[int] = deque(maxlen=RECENT)
        self.over = 0
        self.absent_late = 0
        self.slow: Slowness | None = None
        self.slow_open: int | None = None
        self.muted_until = 0
        self.silent_since: int | None = None
        self.hours: list[list[int]] = [[0, 0] for _ in range(DAY_HOURS)]
        self.learned = 0
        self.idle_ms = 0
        self.lived_to = 0
        self.last_in = 0
        self.guard_at = NEVER
        self.window_ms = window_ms
        self.windows: dict[int, Window] = {}
        self.pace_ms = 60_000.0
        self.seen_at = self.opened_at = start
        self.first_window = (start + shop.ahead_ms) // window_ms

    def learn(self, at: int) -> None:
        """Count one inbound message, as the silence detector does: messages and time lived, by hour of the day."""
        hours = self.hours
        lived = self.lived_to
        if not lived:
            self.idle_ms = at - self.opened_at
            lived = at
        hour = at // HOUR_MS
        while lived // HOUR_MS < hour:
            border = (lived // HOUR_MS + 1) * HOUR_MS
            hours[lived // HOUR_MS % DAY_HOURS][1] += border - lived
            lived = border
        cell = hours[hour % DAY_HOURS]
        cell[0] += 1
        cell[1] += at - lived
        self.lived_to = self.last_in = at
        self.learned += 1

    def must_speak_at(self) -> int:
        """When the channel must be heard again, lest its silence look like a trouble."""
        if self.learned < LEARNED_LEAST:
            return NEVER
        expected, at = 0.0, self.last_in
        for _ in range(DAY_HOURS):
            messages, lived = self.hours[at // HOUR_MS % DAY_HOURS]
            border = (at // HOUR_MS + 1) * HOUR_MS
            rate = messages / max(lived, 1)
            if expected + rate * (border - at) >= QUIET_MOST_EXPECTED:
                at += int((QUIET_MOST_EXPECTED - expected) / rate)
                break
            expected += rate * (border - at)
            at = border
        return max(self.last_in + QUIET_LEAST_MS, at)

    def rate(self, at: int) -> float:
        """Messages a millisecond, as learned for this hour."""
        messages, lived = self.hours[at // HOUR_MS % DAY_HOURS]
        return messages / max(lived, 1)

    def window(self, sent_at: int) -> Window:
        """The checkpoint window that a time belongs to."""
        number = sent_at // self.window_ms
        found = self.windows.get(number)
        if found is None:
            found = self.windows[number] = Window()
        return found


class Window:
    """What the platform counts between two checkpoints: messages Weir holds, and those it does not hold yet."""

    __slots__ = ("absent", "held", "hidden")

    def __init__(self) -> None:
        self.held = 0
        self.absent = 0
        self.hidden: Conversation | None = None


class Slowness:
    """A channel that falls behind and catches up: its delay grows, stays, shrinks. It never overtakes itself."""

    __slots__ = ("began", "ends", "left", "most")

    def __init__(self, began: int, most: int, messages: int) -> None:
        self.began = began
        self.most = most
        self.left = messages
        self.ends: int | None = None

    def delay(self, sent: int) -> int:
        """The delay (ms) of a message sent now; negative when it is over."""
        if self.ends is not None:
            return self.most - (sent - self.ends) * 3 // 4  # less than its own speed: nobody overtakes
        grown = sent - self.began
        if grown < self.most:
            return grown
        self.left -= 1
        if self.left <= 0:
            self.ends = sent
        return self.most


class Conversation:
    """One thread while it is being written."""

    __slots__ = (
        "agent",
        "bell",
        "busy_until",
        "channel",
        "customer",
        "failed",
        "hidden",
        "hold",
        "id",
        "ids",
        "inflight",
        "lang",
        "last_in",
        "last_out_at",
        "last_text",
        "left",
        "missing",
        "name_next",
        "next_seq",
        "order",
        "started",
        "top",
        "turn_out",
        "value",
        "vip",
    )

    def __init__(self, channel: Channel, number: int, left: int, started: int) -> None:
        self.channel = channel
        self.id = f"{channel.account[:2].upper()}-{number:07d}"
        self.left = left
        self.started = started
        self.customer: Event = {}
        self.agent: Event = {}
        self.lang = "en"
        self.order: str | None = None
        self.vip = False
        self.value: Event | None = None
        self.turn_out = False
        self.last_text = ["", ""]
        self.last_out_at = 0
        self.next_seq = 1
        self.top: int | None = None
        self.missing: dict[int, int] = {}
        self.ids: list[str] = []
        self.inflight = 0
        self.last_in: str | None = None
        self.busy_until = 0
        self.hold = 0
        self.hidden: Hidden | None = None
        self.name_next: str | None = None
        self.failed: tuple[str, int] | None = None
        self.bell: tuple[str, int] | None = None


class Hidden:
    """A message that Weir does not get, or gets only after its loss was noticed."""

    __slots__ = ("cause", "comes", "event", "noticed", "since")

    def __init__(self, event: Event, cause: str, *, comes: bool) -> None:
        self.event = event
        self.cause = cause
        self.comes = comes
        self.noticed: int | None = None
        self.since: int | None = None


class World:
    """Everything the parts of the simulator share: chance, the agenda, the channels, the truth."""

    def __init__(self, options: SimulationOptions, expect: Expect) -> None:
        self.options = options
        self.rng = Random(options.seed)  # noqa: S311 # made-up traffic must be repeatable
        self._expect = expect
        self.agenda: list[tuple[int, int, Callable[[int, Any], Event | None] | None, Any]] = []
        self._entries = 0
        self.guards = 0
        self.channels: list[Channel] = []
        self.sent = 0
        self.closing = False
        self.ringing: dict[str, Conversation] = {}

    def post(self, at: int, event: Event) -> None:
        """Have an event observed at `at`."""
        self._entries += 1
        heappush(self.agenda, (at, self._entries, None, event))

    def call(self, at: int, what: Callable[[int, Any], Event | None], subject: Any) -> None:
        """Have `what(at, subject)` called at `at`; what it returns is observed then."""
        self._entries += 1
        heappush(self.agenda, (at, self._entries, what, subject))

    def next(self) -> tuple[int, Callable[[int, Any], Event | None] | None, Any]:
        """The next entry of the agenda: when, what, whom."""
        at, _, what, subject = heappop(self.agenda)
        return at, what, subject

    def expect(
        self, kind: str, cause: str, channel: Channel, conversation: Conversation | None = None, **facts: Any
    ) -> None:
        """The trace implies this anomaly."""
        self._expect(
            Expected(
                kind=kind,
                cause=cause,
                platform=channel.platform,
                account=channel.account,
                conversation=conversation.id if conversation else None,
                **facts,
            )
        )

    def between(self, low: float, high: float) -> int:
        """A duration in ms between so many seconds."""
        return int((low + (high - low) * self.rng.random()) * 1000)


def event_of(kind: str, channel: Channel, at: int, **fields: Any) -> Event:
    """An event of a channel as it stands on the wire."""
    return {"type": kind, "platform": channel.platform, "account": channel.account, "at": at, **fields}


def window_for(messages_per_s: float) -> int:
    """The checkpoint window (ms) of a channel of that rate."""
    return 1000 * next((s for s in WINDOWS_S if s * messages_per_s >= WINDOW_MESSAGES), WINDOWS_S[-1])
