"""Hands the events of a simulated sale to those who send them, each lane in order, as many a second as a curve wants.

A lane is held by one sender at a time, until all it took
is answered: so every channel's events arrive in the order in which the simulator observed them, as its truth needs.

No lane gets ahead of another by more than APART_MS of simulated time: channels that share a partition share its time,
and a channel sent far behind the others would look late through no fault of the product. While a lane is that far
behind the sale waits; how long is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import isfinite

from msgspec import Struct

from loadtest.manners import Lane, lane_of
from loadtest.world import Event

APART_MS = 5_000
"""Less than what lies between the simulator's usual ways and the graces of the detectors."""


class Parcel(Struct, kw_only=True):
    """Events of one lane for one request. `waited_s`: how long the oldest of them was due before it was taken."""

    lane: Lane
    events: list[Event]
    waited_s: float


class _Queue:
    """A lane's events that are due: (when they became due, event)."""

    __slots__ = ("due", "held", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.due: deque[tuple[float, Event]] = deque()
        self.held: Parcel | None = None

    @property
    def waits(self) -> bool:
        """Whether something is not answered yet."""
        return self.held is not None or bool(self.due)

    @property
    def oldest(self) -> int:
        """When the oldest of it was observed (ms)."""
        return self.due[0][1]["at"] if self.held is None else self.held.events[0]["at"]


class Feed:
    """The due events of a sale. Not for threads: senders share one loop. `clock` events are left out.

    `released` counts what became due; `stood_s` is how long events were due by the curve and the sale waited for a
    lane; `apart_ms` is how far one was behind at most, in the sale's time.
    """

    def __init__(self, events: Iterator[Event], quota: Callable[[float], float], clock: Callable[[], float]) -> None:
        """Hand out `events`; `quota` says how many are due so many seconds after the first `release`."""
        self._events = events
        self._quota = quota
        self._clock = clock
        self._began: float | None = None
        self._looked = 0.0
        self._next: Event | None = None
        self._ended = False
        self._pressed = False
        self._queues: dict[tuple[str, str], _Queue] = {}
        self._lanes: dict[str, _Queue] = {}
        self._ready: dict[str, deque[_Queue]] = {"webhook": deque(), "batch": deque()}
        self.released = 0
        self.stood_s = 0.0
        self.apart_ms = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first `release`."""
        return 0.0 if self._began is None else self._clock() - self._began

    @property
    def finished(self) -> bool:
        """Whether every event was taken and answered."""
        return self._ended and not self.waiting

    @property
    def waiting(self) -> bool:
        """Whether something is due or not answered yet."""
        return any(queue.waits for queue in self._lanes.values())

    def release(self) -> None:
        """Make due what is due by now; to be called often."""
        at = self._clock()
        if self._began is None:
            self._began = self._looked = at
        passed, self._looked = at - self._looked, at
        quota = self._quota(at - self._began)
        oldest = min((q.oldest for q in self._lanes.values() if q.waits), default=None)
        self._pressed = not isfinite(quota)
        while self.released < quota and (event := self._peek()) is not None:
            if oldest is not None and event["at"] > oldest + APART_MS:
                self.stood_s += 0.0 if self._pressed else passed
                self._pressed = True
                break
            oldest = event["at"] if oldest is None else oldest
            self.apart_ms = max(self.apart_ms, event["at"] - oldest)
            self._next = None
            self._put(at, event)

    def outstanding(self) -> list[Event]:
        """The events that were taken and not answered, when the test is broken off."""
        return [event for queue in self._lanes.values() if queue.held for event in queue.held.events]

    def take(self, way: str) -> Parcel | None:
        """The next parcel for a sender of that way; None when nothing is due. It must be `answered`."""
        at = self._clock()
        ready = self._ready[way]
        for _ in range(len(ready)):
            queue = ready.popleft()
            lane, due = queue.lane, queue.due
            waited = at - due[0][0]
            if len(due) < lane.least and waited < lane.wait_s and not self._pressed:
                ready.append(queue)
                continue
            events = [due.popleft()[1] for _ in range(min(len(due), lane.most))]
            queue.held = Parcel(lane=lane, events=events, waited_s=waited)
            return queue.held
        return None

    def answered(self, parcel: Parcel) -> None:
        """The lane may go on."""
        queue = self._lanes[parcel.lane.name]
        queue.held = None
        if queue.due:
            self._ready[queue.lane.way].append(queue)

    def give_back(self, parcel: Parcel) -> None:
        """The sender is gone without an answer: somebody else sends the same again, before anything after it."""
        queue = self._lanes[parcel.lane.name]
        queue.held = None
        queue.due.extendleft((self._clock(), event) for event in reversed(parcel.events))
        self._ready[queue.lane.way].append(queue)

    def _peek(self) -> Event | None:
        while self._next is None and not self._ended:
            self._next = next(self._events, None)
            self._ended = self._next is None
            if self._next is not None and self._next["type"] == "clock":
                self._next = None
        return self._next

    def _put(self, at: float, event: Event) -> None:
        self.released += 1
        key = (event["platform"], event["account"])
        queue = self._queues.get(key)
        if queue is None:
            lane = lane_of(*key)
            queue = self._queues[key] = self._lanes.setdefault(lane.name, _Queue(lane))
        if not queue.due and queue.held is None:
            self._ready[queue.lane.way].append(queue)
        queue.due.append((at, event))
