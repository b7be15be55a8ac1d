"""Which states of a partition are in memory: taken over from the store, made anew, marked dirty, let go again.

The engine on top of it (`streams.engine`) decides what happens to them; this says only where they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappush
from typing import cast

from actors.detectors import out_of_sync
from actors.effects import KeyRemembered
from actors.events import (
    Action,
    AttachmentStatus,
    Checkpoint,
    Delete,
    Edit,
    Entry,
    Message,
    Notification,
    Receipt,
    Translation,
)
from actors.keys import channel_key, conversation_key, split_key
from actors.sent_times import SentTimes
from actors.sla import Policy
from actors.state import (
    Channel,
    ChannelState,
    Conversation,
    ConversationState,
    decode_channel,
    decode_conversation,
    encode_state,
)
from actors.thresholds import Limits, ThresholdSet
from storage.records import StateRow

CONVERSATION_EVENTS = frozenset(
    {Message, Receipt, AttachmentStatus, Translation, Notification, Edit, Delete, Checkpoint, Action}
)
EVICT_STEPS = 1_000


class Residents:
    """The channels of one partition, and those of its conversations that are in memory."""

    def __init__(
        self,
        partition: int,
        thresholds: ThresholdSet,
        *,
        policies: Sequence[Policy] = (),
        timers: bool = True,
        sent_times: Callable[[], SentTimes] = SentTimes,
    ) -> None:
        self.partition = partition
        self._sent_times = sent_times
        self._thresholds = thresholds
        self.policies = tuple(policies) or (Policy(),)
        self.channels: dict[tuple[str, str], Channel] = {}
        self.nobody = self._new_channel(f"~{partition}", "", "", ChannelState())
        self.loaded = 0
        self._timers = timers
        self._heap: list[tuple[int, str]] = []
        self._dirty: list[Conversation] = []
        self._ring: deque[tuple[Channel, Conversation]] = deque()
        self._partial: set[tuple[str, str]] = set()
        """Channels that may have conversations in the store which are not in memory."""
        self._unindexed: set[tuple[str, str]] = set()
        """Channels whose index of sent times is not loaded; for those in `_checking` a check or a difference waits."""
        self._checking: set[tuple[str, str]] = set()

    @property
    def thresholds(self) -> ThresholdSet:
        """The thresholds in force; a new set applies to events observed after it."""
        return self._thresholds

    @thresholds.setter
    def thresholds(self, value: ThresholdSet) -> None:
        self._thresholds = value
        for channel in self.channels.values():
            channel.limits = Limits(value, channel.platform, channel.account)
            channel.state.over = len(channel.state.delays)

    def restore_channels(self, rows: Iterable[StateRow]) -> None:
        """Take over every channel state of the partition; once, before anything is applied."""
        for row in rows:
            state = decode_channel(row.state)
            if row.key == self.nobody.key:
                self.nobody.state = state
            else:
                platform, account = split_key(row.key)
                self.channels[platform, account] = self._new_channel(row.key, platform, account, state)
                self._partial.add((platform, account))
                self._unindexed.add((platform, account))
                if state.checks or any(anomaly.kind == out_of_sync.KIND for anomaly in state.open.values()):
                    self._checking.add((platform, account))

    def restore_keys(self, rows: Iterable[KeyRemembered]) -> None:
        """Take over the idempotency keys remembered by the channels of the partition, oldest first."""
        keys = {channel.key: channel.keys for channel in self.channels.values()}
        for row in rows:
            keys[row.key][row.label] = row.at

    def arm(self, due: Iterable[tuple[int, str]]) -> None:
        """Take over the (due, key) of every stored conversation with a timer."""
        self._heap = list(due)
        heapify(self._heap)

    def absent(self, entries: Sequence[Entry]) -> list[str]:
        """The keys of conversations these entries need and that may be in the store but are not in memory."""
        if not self._partial:
            return []
        told = cast("Iterable[Message]", (entry for entry in entries if type(entry) in CONVERSATION_EVENTS))
        named = dict.fromkeys([(entry.platform, entry.account, entry.conversation) for entry in told])
        return [
            conversation_key(platform, account, conversation)
            for platform, account, conversation in named
            if (platform, account) in self._partial
            and conversation is not None  # pyright: ignore[reportUnnecessaryComparison] # not all are messages
            and conversation not in self.channels[platform, account].conversations
        ]

    def restore_conversations(self, keys: Iterable[str], rows: Iterable[StateRow]) -> None:
        """Take over the stored states of the conversations asked for; those without a row are new."""
        del keys
        for row in rows:
            platform, account, conversation = split_key(row.key)
            channel = self.channels[platform, account]
            if conversation not in channel.conversations:
                restored = Conversation(row.key, conversation, decode_conversation(row.state))
                restored.armed = restored.state.due
                channel.conversations[conversation] = restored
                self._ring.append((channel, restored))
                self.loaded += 1

    def unindexed(self, entries: Sequence[Entry] = ()) -> list[str]:
        """Channels whose index of sent times must be loaded: a checkpoint comes, or one waits to be compared."""
        if not self._unindexed:
            return []
        named = set(self._checking)
        if Checkpoint in set(map(type, entries)):
            named |= {(e.platform, e.account) for e in entries if isinstance(e, Checkpoint) and e.conversation is None}
        return [self.channels[names].key for names in sorted(named & self._unindexed)]

    def restore_index(self, channel: str, times: Sequence[int]) -> None:
        """The sent times (ms) of every message held of a channel, ascending."""
        platform, account = split_key(channel)
        self.channels[platform, account].sent = SentTimes(times)
        self._unindexed.discard((platform, account))
        self._checking.discard((platform, account))

    def evict(self, most: int, steps: int = EVICT_STEPS) -> None:
        """Drop clean conversations from memory while more than `most` are loaded, roughly those longest unused first.

        A second-chance clock: at most `steps` are looked at, so that a call never holds the loop for long.
        """
        ring = self._ring
        while self.loaded > most and steps > 0:
            steps -= 1
            channel, conversation = ring.popleft()
            if conversation.dirty or conversation.used:
                conversation.used = False
                ring.append((channel, conversation))
            else:
                self._let_go(channel, conversation)

    def put_aside(self, most: int) -> list[StateRow]:
        """`evict` for a replay, which takes no batches: changed ones too, and their states are given back."""
        rows: list[StateRow] = []
        ring = self._ring
        while self.loaded > most:
            channel, conversation = ring.popleft()
            if conversation.used:
                conversation.used = False
                ring.append((channel, conversation))
                continue
            if conversation.dirty:
                conversation.dirty = False
                rows.append(StateRow(conversation.key, encode_state(conversation.state)))
            self._let_go(channel, conversation)
        self._dirty = [conversation for conversation in self._dirty if conversation.dirty]
        return rows

    def drop(self, key: str) -> None:
        """Take a conversation out of memory for good, as a replay does at its end; nothing is evicted after that."""
        channel, conversation = self.located(key)
        del channel.conversations[conversation.conversation]
        self._partial.add((channel.platform, channel.account))
        self._ring.clear()

    def is_cold(self, key: str) -> bool:
        """Whether a conversation of this partition is not in memory."""
        platform, account, name = split_key(key)
        channel = self.channels.get((platform, account))
        return channel is not None and name not in channel.conversations

    def located(self, key: str) -> tuple[Channel, Conversation]:
        """A conversation in memory and its channel; raises KeyError."""
        platform, account, name = split_key(key)
        channel = self.channels[platform, account]
        return channel, channel.conversations[name]

    def _let_go(self, channel: Channel, conversation: Conversation) -> None:
        del channel.conversations[conversation.conversation]
        self._partial.add((channel.platform, channel.account))
        self.loaded -= 1

    def _add_conversation(self, channel: Channel, name: str, now: int) -> Conversation:
        key = conversation_key(channel.platform, channel.account, name)
        added = channel.conversations[name] = Conversation(key, name, ConversationState(first_at=now))
        self._ring.append((channel, added))
        self.loaded += 1
        return added

    def _add_channel(self, platform: str, account: str, now: int) -> Channel:
        state = ChannelState(first_at=now, lived_to=now)
        added = self._new_channel(channel_key(platform, account), platform, account, state)
        added.sent = self._sent_times()
        self.channels[platform, account] = added
        return added

    def _new_channel(self, key: str, platform: str, account: str, state: ChannelState) -> Channel:
        return Channel(key, (platform, account), state, Limits(self._thresholds, platform, account), self.policies)

    def _touch(self, conversation: Conversation) -> None:
        conversation.used = True
        if not conversation.dirty:
            conversation.dirty = True
            self._dirty.append(conversation)
        due = conversation.state.due
        if due < conversation.armed and self._timers:
            conversation.armed = due
            heappush(self._heap, (due, conversation.key))

    def _find(self, key: str) -> tuple[Channel, Conversation] | None:
        try:
            return self.located(key)
        except KeyError:
            return None
