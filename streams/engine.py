"""One partition's processing, free of any framework: entries in, states changed, one batch of effects out.

The same engine runs live, in `weir replay` and in the threshold preview. It does no I/O: the caller loads the states
that `absent` names before `apply`, and saves what `take` hands out. Everything it does is a function of the entries,
the thresholds and the ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from actors import channel as channels
from actors import conversation as conversations
from actors.detectors import auth, out_of_sync
from actors.effects import Effects
from actors.events import (
    Action,
    AttachmentStatus,
    Auth,
    ChannelEvent,
    Checkpoint,
    Delete,
    Edit,
    Entry,
    Message,
    Notification,
    Receipt,
    Rejected,
    Translation,
)
from actors.operator import act_on_anomaly
from actors.sent_times import SentTimes
from actors.sla import NEVER, Policy
from actors.state import (
    Channel,
    encode_state,
)
from actors.thresholds import ThresholdSet
from storage.records import Batch, DeadLetter, PartitionMark, StateRow
from streams.residents import Residents
from streams.rows import channel_row, ledger_row, minute_row

TICK_MOST = 5_000
"""Conversations looked at in one tick, so that a tick never holds the loop for long."""


class Engine(Residents):
    """The states of one partition and what becomes of them."""

    def __init__(
        self,
        partition: int,
        thresholds: ThresholdSet,
        mark: PartitionMark,
        *,
        policies: Sequence[Policy] = (),
        timers: bool = True,
        sent_times: Callable[[], SentTimes] = SentTimes,
    ) -> None:
        super().__init__(partition, thresholds, policies=policies, timers=timers, sent_times=sent_times)
        self.mark = mark
        self.time = mark.time
        self.drift = mark.drift
        self.applied = mark.applied
        self.pending = 0
        self.effects = Effects()
        self.dead_letters: list[DeadLetter] = []
        self._ready: dict[str, None] = {}
        self._touched = False
        self._last = self.nobody
        """The channel of the event before, which often is that of the next."""
        self._handlers: dict[type, Callable[[Any, Channel, int], bool]] = {
            Message: self._message,
            Receipt: self._status,
            AttachmentStatus: self._status,
            Translation: self._status,
            Notification: self._status,
            Edit: self._version,
            Delete: self._version,
            Checkpoint: self._checkpoint,
            Auth: self._auth,
            Action: self._action,
        }

    # Entries and time

    def apply(self, offset: int, wall: int, entries: Sequence[Entry]) -> list[tuple[int, Exception]]:
        """Apply a frame accepted at `wall` (ms) unless it was; returns what could not be applied, by index."""
        if offset <= self.applied:
            return []
        failures: list[tuple[int, Exception]] = []
        before = self.time
        for index, entry in enumerate(entries):
            try:
                self.apply_entry(entry)
            except Exception as wrong:  # noqa: BLE001 # one bad entry must not stop the partition: it is dead-lettered
                failures.append((index, wrong))
                self._count_rejected(entry)
        if self.time > before:
            self.drift = self.time - wall
        self.applied = offset
        self.pending += len(entries)
        self._touched = True
        return failures

    def apply_entry(self, entry: Entry) -> bool:
        """Apply one entry; True when it counted as stored, False as a duplicate or rejected."""
        kind = type(entry)
        handler = self._handlers.get(kind)
        if handler is None:
            return self._apply_to_nobody(entry)
        if TYPE_CHECKING:  # what has a handler has a channel; told to the checker without a cost per event
            assert isinstance(entry, ChannelEvent)
        now = entry.at
        if now > self.time:
            self.time = now
        else:
            now = self.time
        channel = self._last
        if entry.account != channel.account or entry.platform != channel.platform:
            channel = self.channels.get((entry.platform, entry.account)) or self._add_channel(
                entry.platform, entry.account, now
            )
            self._last = channel
        state = channel.state
        if state.due < now:
            channels.expire(channel, now, self.effects)
        channel.dirty = True
        state.accepted += 1
        state.last_at = now
        if entry.event is not None and kind is not Message:
            label = channels.label_of(kind.__name__, entry.event)
            if channels.is_repeated_event(channel, label, now, self.effects):
                state.duplicates += 1
                return False
        if handler(entry, channel, now):
            state.stored += 1
            return True
        state.duplicates += 1
        return False

    def due_keys(self, now: int) -> list[str]:
        """Cold conversations with a timer due before `now`, to be loaded before `tick`; at most a tick's worth."""
        ready = self._ready
        heap = self._heap
        while heap and heap[0][0] < now and len(ready) < TICK_MOST:
            ready[heappop(heap)[1]] = None
        return [key for key in ready if self._find(key) is None]

    def tick(self, now: int) -> None:
        """Fire the timers due before `now` (ms, the stream's clock) of everything that hears nothing."""
        for channel in self.channels.values():
            if channel.state.due < now:
                channels.expire(channel, now, self.effects)
                self._touched = True
        self.due_keys(now)
        for key in list(self._ready):
            del self._ready[key]
            found = self._find(key)
            if found is None:
                continue
            channel, conversation = found
            if conversation.state.due < now:
                conversations.expire(channel, conversation, now, self.effects)
                self._touch(conversation)
                self._touched = True
            conversation.armed = conversation.state.due
            if conversation.armed != NEVER:
                heappush(self._heap, (conversation.armed, key))

    def next_due(self) -> int:
        """The earliest instant (ms) at which a tick may have something to do; NEVER when nothing waits."""
        due = min((channel.state.due for channel in self.channels.values()), default=NEVER)
        return min(due, self._heap[0][0]) if self._heap else due

    def take(self, now: int) -> Batch | None:
        """Everything that changed since the last take, as one batch to be saved; None when nothing did. `now` in ms."""
        del now
        if not self._touched:
            return None
        dirty_channels = [c for c in self.channels.values() if c.dirty]
        effects, self.effects = self.effects, Effects()
        mark = PartitionMark(
            partition=self.partition,
            applied=self.applied,
            time=self.time,
            drift=self.drift,
            version=self.mark.version + 1,
        )
        batch = Batch(
            mark=mark,
            channels=[StateRow(c.key, encode_state(c.state)) for c in (*dirty_channels, self.nobody)],
            conversations=[
                StateRow(c.key, encode_state(c.state), None if c.state.due == NEVER else c.state.due)
                for c in self._dirty
            ],
            channel_rows=[channel_row(c) for c in dirty_channels],
            effects=effects,
            minutes=[minute_row(m) for m in effects.minutes],
            ledger=[ledger_row(c) for c in (*dirty_channels, self.nobody)],
            dead_letters=self.dead_letters,
        )
        batch.minutes += [minute_row(m) for c in dirty_channels if (m := channels.open_minute(c)) is not None]
        for item in (*dirty_channels, *self._dirty):
            item.dirty = False
        self._dirty, self.dead_letters = [], []
        self.mark, self.pending, self._touched = mark, 0, False
        return batch

    def _apply_to_nobody(self, entry: Entry) -> bool:
        """What belongs to no channel: time that passes, and input that was refused."""
        if isinstance(entry, Rejected):
            channel = self.channels.get((entry.platform or "", entry.account or ""), self.nobody)
            channel.state.accepted += 1
            channel.state.rejected += 1
            channel.dirty = True
            return False
        if entry.at > self.time:
            self.time = entry.at
        if self.partition == 0:  # a clock comes to every partition and counts once
            self.nobody.state.accepted += 1
            self.nobody.state.stored += 1
            self.nobody.dirty = True
        return True

    # One kind of event each; False: it was a duplicate

    def _message(self, m: Message, channel: Channel, now: int) -> bool:
        conversation = channel.conversations.get(m.conversation)
        if conversation is None:
            conversation = self._add_conversation(channel, m.conversation, now)
        counted = conversations.apply_message(channel, conversation, m, now, self.effects)
        if not counted:
            channels.on_repeated(channel, now, self.effects)
        self._touch(conversation)
        return counted

    def _status(
        self, status: Receipt | AttachmentStatus | Translation | Notification, channel: Channel, now: int
    ) -> bool:
        conversation = channel.conversations.get(status.conversation) or self._add_conversation(
            channel, status.conversation, now
        )
        conversations.apply_status(channel, conversation, status, now, self.effects)
        self._touch(conversation)
        return True

    def _version(self, change: Edit | Delete, channel: Channel, now: int) -> bool:
        conversation = channel.conversations.get(change.conversation) or self._add_conversation(
            channel, change.conversation, now
        )
        conversations.apply_version(channel, conversation, change, now, self.effects)
        self._touch(conversation)
        return True

    def _checkpoint(self, check: Checkpoint, channel: Channel, now: int) -> bool:
        if check.conversation is None:
            out_of_sync.on_checkpoint(channel, None, check, now, self.effects)
            return True
        conversation = channel.conversations.get(check.conversation) or self._add_conversation(
            channel, check.conversation, now
        )
        conversations.apply_checkpoint(channel, conversation, check, now, self.effects)
        self._touch(conversation)
        return True

    def _auth(self, event: Auth, channel: Channel, now: int) -> bool:
        auth.on_auth(channel, event, now, self.effects)
        return True

    def _action(self, action: Action, channel: Channel, now: int) -> bool:
        if action.conversation is None:
            act_on_anomaly(channel.state, action, now, self.effects)
            return True
        conversation = channel.conversations.get(action.conversation) or self._add_conversation(
            channel, action.conversation, now
        )
        if action.anomaly is not None:
            if conversation.state.due < now:
                conversations.expire(channel, conversation, now, self.effects)
            act_on_anomaly(conversation.state, action, now, self.effects)
        else:
            conversations.apply_action(channel, conversation, action, now, self.effects)
        self._touch(conversation)
        return True

    def _count_rejected(self, entry: Entry) -> None:
        channel = self.channels.get((entry.platform or "", entry.account or ""), self.nobody)
        channel.state.rejected += 1
        channel.dirty = True
