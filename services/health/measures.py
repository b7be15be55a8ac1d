"""What the thresholds are measured against: how long things really took, over time, from stored frames. Pure.

One measure per threshold in seconds; the chart of the thresholds studio shows its distribution behind the line to drag.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from actors.events import AttachmentStatus, Entry, Message, Notification, Receipt, Translation
from actors.keys import channel_key, conversation_key
from actors.sketch import Sketch
from services.health.logged import entries_of
from streams.frames import FrameDamagedError
from streams.ports import LogRecord

WAITING_MOST = 200_000
"""Things awaited at once; the oldest are given up, so that memory stays bounded."""
WIDEST_GAP = 50

MEASURED = (
    "loss.grace_s",
    "loss.outbound_grace_s",
    "duplicate.content_window_s",
    "attachment.grace_s",
    "notification.grace_s",
    "translation.grace_s",
    "silence.min_s",
)
"""Thresholds with a measure here; that of `delay.threshold_s` is in the traffic's minutes."""


class MeasureQuestion(Struct, frozen=True, kw_only=True, tag="measure"):
    """Which threshold's measure, of which scope (`""`, platform or platform/account), over which period (ms)."""

    name: str
    scope: str
    since: int
    until: int
    step_ms: int


class Point(Struct, frozen=True, array_like=True):
    """One step of the chart: its start, then median, 95th percentile and largest in ms, and how many were measured."""

    at: int
    p50: int
    p95: int
    largest: int
    count: int


class Bucket(Struct):
    """What was measured in one step."""

    sketch: Sketch
    largest: int = 0


class Measures:
    """Feed it frames, then ask for the `points`."""

    def __init__(self, question: MeasureQuestion) -> None:
        self._question = question
        self._buckets: dict[int, Bucket] = {}
        self._waiting: OrderedDict[tuple[str, ...], int] = OrderedDict()
        self._highest: dict[str, int] = {}
        self._time = 0
        self._measure = {
            "loss.grace_s": self._gap,
            "loss.outbound_grace_s": self._receipt,
            "duplicate.content_window_s": self._repeat,
            "attachment.grace_s": self._attachment,
            "notification.grace_s": self._notification,
            "translation.grace_s": self._translation,
            "silence.min_s": self._silence,
        }[question.name]

    def frame(self, partition: int, offset: int, wall: int, data: bytes) -> None:
        """The next frame of a partition."""
        try:
            entries = entries_of(LogRecord(partition, offset, wall, data))
        except FrameDamagedError:
            return
        for entry in entries:
            self._entry(entry)

    def end_partition(self) -> None:
        """No more frames of this partition: another has its own time."""
        self._time = 0

    def findings(self) -> list[Point]:
        """Every step in which something was measured, ascending."""
        return [self._point(at, self._buckets[at]) for at in sorted(self._buckets)]

    def _entry(self, entry: Entry) -> None:
        platform, account = entry.platform, entry.account
        if not isinstance(platform, str) or not isinstance(account, str):
            return
        self._time = max(self._time, entry.at)
        if self._question.scope in ("", platform, channel_key(platform, account)):
            for ms in self._measure(entry):
                self._note(ms)

    def _gap(self, entry: Entry) -> Iterator[int]:
        """How late a missing number came, since a higher one was seen."""
        if not isinstance(entry, Message) or entry.seq is None:
            return
        key = conversation_key(entry.platform, entry.account, entry.conversation)
        high = self._highest.get(key, entry.seq - 1)
        if entry.seq > high:
            for number in range(high + 1, min(entry.seq, high + WIDEST_GAP)):
                self._await((key, str(number)))
            self._highest[key] = entry.seq
        else:
            yield from self._came((key, str(entry.seq)))

    def _receipt(self, entry: Entry) -> Iterator[int]:
        """From an answer to its first receipt."""
        if isinstance(entry, Message) and entry.direction == "out":
            self._await(_of_message(entry))
        elif isinstance(entry, Receipt):
            yield from self._came(_of_message(entry))

    def _repeat(self, entry: Entry) -> Iterator[int]:
        """Between two messages of the same words of the same sender."""
        if isinstance(entry, Message) and entry.text and entry.sender is not None and entry.sender.id:
            key = ("words", entry.platform, entry.account, entry.conversation, entry.sender.id, entry.text.strip())
            before = self._waiting.get(key)
            if before is not None:
                yield abs(entry.sent_at - before)
            self._await(key, entry.sent_at)

    def _attachment(self, entry: Entry) -> Iterator[int]:
        """From a customer's message to the fate of each of its files."""
        if isinstance(entry, Message) and entry.direction == "in":
            for file in entry.attachments or ():
                self._await((*_of_message(entry), file.id))
        elif isinstance(entry, AttachmentStatus):
            yield from self._came((*_of_message(entry), entry.attachment))

    def _notification(self, entry: Entry) -> Iterator[int]:
        """From a customer's message to the first bell."""
        if isinstance(entry, Message) and entry.direction == "in":
            self._await(_of_message(entry))
        elif isinstance(entry, Notification) and entry.status != "failed":
            yield from self._came(_of_message(entry))

    def _translation(self, entry: Entry) -> Iterator[int]:
        """From a customer's message to its first translation."""
        if isinstance(entry, Message) and entry.direction == "in":
            self._await(_of_message(entry))
        elif isinstance(entry, Translation) and entry.status == "ok":
            yield from self._came(_of_message(entry))

    def _silence(self, entry: Entry) -> Iterator[int]:
        """Between two customers' messages of a channel."""
        if isinstance(entry, Message) and entry.direction == "in":
            key = ("channel", entry.platform, entry.account)
            yield from self._came(key)
            self._await(key)

    def _await(self, key: tuple[str, ...], since: int | None = None) -> None:
        if key in self._waiting:
            del self._waiting[key]
        self._waiting[key] = self._time if since is None else since
        if len(self._waiting) > WAITING_MOST:
            self._waiting.popitem(last=False)

    def _came(self, key: tuple[str, ...]) -> Iterator[int]:
        since = self._waiting.pop(key, None)
        if since is not None:
            yield self._time - since

    def _note(self, ms: int) -> None:
        question = self._question
        if question.since <= self._time < question.until:
            start = self._time - (self._time - question.since) % question.step_ms
            bucket = self._buckets.get(start)
            if bucket is None:
                bucket = self._buckets[start] = Bucket(Sketch())
            bucket.sketch.add(ms)
            bucket.largest = max(bucket.largest, ms)

    def _point(self, at: int, bucket: Bucket) -> Point:
        p50, p95 = bucket.sketch.quantile(0.5) or 0, bucket.sketch.quantile(0.95) or 0
        return Point(at, round(p50), round(p95), bucket.largest, bucket.sketch.count)


def _of_message(
    entry: Message | Receipt | AttachmentStatus | Notification | Translation,
) -> tuple[str, ...]:
    return (entry.platform, entry.account, entry.conversation, entry.message)
