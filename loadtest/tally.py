"""What the senders were told about what they sent: the side of the ledger that is held against the product's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from actors.keys import channel_key
from loadtest.world import Event

MARKS_MOST = 20_000
EXAMPLES_MOST = 5


class Told(Struct, kw_only=True):
    """One channel: events answered as accepted, as rejected, and sent without ever getting an answer (`unsure`)."""

    accepted: int = 0
    rejected: int = 0
    unsure: int = 0


class Tally:
    """Counts answers. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.channels: dict[str, Told] = {}
        self.refused = 0
        self.retried = 0
        self.posts = 0
        self.broken = 0
        self.wrongly: list[str] = []
        self.by_second: Counter[int] = Counter()
        self.marks: list[tuple[float, int]] = []
        self.events = 0

    def answered(self, at: float, events: Sequence[Event], rejected: Sequence[tuple[int, str]]) -> None:
        """A request was answered 202 at `at`; `rejected` are the places of those refused, and why."""
        self.posts += 1
        reasons = dict(rejected)
        for index, event in enumerate(events):
            told = self.told(event)
            if index in reasons:
                told.rejected += 1
            else:
                told.accepted += 1
            if (index in reasons) != is_broken(event) and len(self.wrongly) < EXAMPLES_MOST:
                self.wrongly.append(f"{event['type']}: {reasons.get(index, 'accepted, though it is broken')}")
        self.broken += len(reasons)
        self.events += len(events)
        self.by_second[int(at)] += len(events)
        if len(self.marks) < MARKS_MOST:
            self.marks.append((at, self.events))

    def unanswered(self, events: Sequence[Event]) -> None:
        """A request got no answer: what it brought may be accepted or not. It is sent again."""
        self.retried += 1
        for event in events:
            self.told(event).unsure += 1

    def told(self, event: Event) -> Told:
        """The count of an event's channel."""
        return self.channels.setdefault(channel_key(event["platform"], event["account"]), Told())


def break_event(event: Event) -> Event:
    """A copy that no version of the product can accept."""
    return {**event, "type": "message", "message": "broken", "conversation": "broken", "direction": "sideways"}


def is_broken(event: Event) -> bool:
    """Whether `break_event` made it."""
    return event.get("direction") == "sideways"
