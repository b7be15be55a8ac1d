"""Which states of a partition are in memory: taken over from the store, made anew, marked dirty, let go again.

The engine on top of it (`streams.engine`) decides what happens to them; this says only where they are.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heapify, heappush

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

CONVERSATION_EVENTS = (
    Message,
    Receipt,
    AttachmentStatus,
    Translation,
    Notification,
    Edit,
    Delete,
    Checkpoint,
    Action,
)
EVICT_STEPS = 1_000


class Residents:
    """The channels of one partition, and those of its conversations that are in memory."""

    def __init__(
        self, partition: int, thresholds: ThresholdSet, *, policies: Sequence[Policy] = (), timers: bool = True
    ) -> None:
        self.partition = partition
        self._thresholds = thresholds
        self.policies = tuple(policies) or (Policy(),)
        self.channels: dict[tuple[str, str], Channel] = {}
        self.nobody = self._new_channel(f"~{partition}", "", "", ChannelState())
        self.loaded = 0
        self._timers = timers
        self._heap: list[tuple[int, str]] = []
        self._dirty: list[Conversation] = []
        self._ring: deque[tuple[Channel, Conversation]] = deque()

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
        missing: dict[str, None] = {}
        for entry in entries:
            if isinstance(entry, CONVERSATION_EVENTS) and (conversation := entry.conversation) is not None:
                channel = self.channels.get((entry.platform, entry.account))
                if channel is not None and conversation not in channel.conversations:
                    missing[conversation_key(entry.platform, entry.account, conversation)] = None
        return list(missing)

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
        named = {(e.platform, e.account) for e in entries if isinstance(e, Checkpoint) and e.conversation is None}
        return [
            channel.key
            for names, channel in self.channels.items()
            if channel.sent is None and (names in named or channel.state.checks)
        ]

    def restore_index(self, channel: str, times: Sequence[int]) -> None:
        """The sent times (ms) of every message held of a channel, ascending."""
        platform, account = split_key(channel)
        self.channels[platform, account].sent = array("q", times)

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
                del channel.conversations[conversation.conversation]
                self.loaded -= 1

    def flush_states(self) -> list[StateRow]:
        """The encoded states of conversations changed since the last flush; for a replay, which keeps no batches."""
        rows = [StateRow(c.key, encode_state(c.state)) for c in self._dirty]
        for conversation in self._dirty:
            conversation.dirty = False
        self._dirty = []
        return rows

    def drop(self, key: str) -> None:
        """Take a conversation out of memory for good, as a replay does at its end; nothing is evicted after that."""
        channel, conversation = self.located(key)
        del channel.conversations[conversation.conversation]
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

    def _add_conversation(self, channel: Channel, name: str, now: int) -> Conversation:
        key = conversation_key(channel.platform, channel.account, name)
        added = channel.conversations[name] = Conversation(key, name, ConversationState(first_at=now))
        self._ring.append((channel, added))
        self.loaded += 1
        return added

    def _add_channel(self, platform: str, account: str, now: int) -> Channel:
        state = ChannelState(first_at=now, lived_to=now)
        added = self._new_channel(channel_key(platform, account), platform, account, state)
        added.sent = array("q")
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
