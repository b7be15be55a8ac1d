"""What the core remembers: one state per channel, one per conversation, as records that encode and decode without loss.

A `Conversation` or `Channel` is a state in memory: the record plus what can be derived from it, or is stored row by row
beside it. Only the record is encoded.
`due` is a lower bound of the state's next timer; looking at it too early changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as column
from typing import TypeAlias

import msgspec
from msgspec import Struct, field

from actors.anomaly import Anomaly
from actors.events import AttachmentStatus, Notification, Receipt, Translation
from actors.sent_times import SentTimes
from actors.sla import NEVER, Policy, SlaState
from actors.thresholds import Limits

WEEK = 7 * 86_400_000
"""How long ids and early statuses are remembered (ms)."""
HELD_MOST = 10_000
"""Ids remembered per conversation; older ones give way, so that one hot thread cannot eat the memory."""
EARLY_MOST = 1_000
SPELLS_MOST = 2_000

CUSTOMER, OUTBOUND, MERGED, HISTORY, VIP, SETTLED, DELIVERED, FAILED = 1, 2, 4, 8, 16, 32, 64, 128
"""Flags of a held message. SETTLED: somebody was told, saw or answered it; DELIVERED: delivered or read."""

EarlyStatus = Receipt | AttachmentStatus | Translation | Notification


class Held(Struct, array_like=True, gc=False):
    """One message that Weir holds: when it first came, when it was sent (ms), its body's fingerprint, flags."""

    at: int
    sent_at: int
    body: bytes
    flags: int


class Gap(Struct, array_like=True, gc=False):
    """A sequence number that is missing: judged at `due`; `since` when a higher one was sent; `cause` who says so."""

    due: int
    since: int
    cause: str


class Absent(Struct, array_like=True, gc=False):
    """A message named by another or by a checkpoint and never seen: judged at `due`."""

    due: int
    since: int
    cause: str
    named_by: str | None


class Check(Struct, array_like=True, gc=False):
    """A checkpoint's count that disagreed: the window [`start`, `end`), compared again at `due`."""

    due: int
    start: int
    end: int
    count: int


class ConversationState(Struct, omit_defaults=True):
    """Everything remembered of one conversation; pending graces are due times (ms) by message id.

    `elder` and `elder_sent` are the ids (as checksums) and the sent times of messages no longer held.
    """

    first_at: int = 0
    due: int = NEVER
    open: dict[str, Anomaly] = field(default_factory=dict)
    spells: dict[str, int] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    elder: list[int] = field(default_factory=list)
    elder_sent: list[int] = field(default_factory=list)
    first_seq: int | None = None
    high_seq: int = 0
    joined_late: bool = False
    missing: dict[int, Gap] = field(default_factory=dict)
    below: list[int] = field(default_factory=list)
    absent: dict[str, Absent] = field(default_factory=dict)
    receipts: dict[str, int] = field(default_factory=dict)
    bells: dict[str, int] = field(default_factory=dict)
    translations: dict[str, int] = field(default_factory=dict)
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    listed: dict[str, list[str]] = field(default_factory=dict)
    early: dict[str, list[tuple[int, EarlyStatus]]] = field(default_factory=dict)
    resends: dict[str, str] = field(default_factory=dict)
    repeats: dict[str, Anomaly] = field(default_factory=dict)
    sla: SlaState = field(default_factory=SlaState)
    vip: bool = False
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class ChannelState:
    """Everything remembered of one channel.

    `begins` is the event time of its first event where that was a message; 0: it was none, see `first_at`.
    `hours` maps hour of the week (UTC) to [messages, ms lived through]; `over` counts down from the last message over
    the delay threshold: at 0 the median cannot be above it.
    A dataclass with slots, since every event writes to it: that costs a quarter of what it costs in a Struct.
    """

    first_at: int = 0
    due: int = NEVER
    open: dict[str, Anomaly] = column(default_factory=dict)
    spells: dict[str, int] = column(default_factory=dict)
    checks: list[Check] = column(default_factory=list)
    last_at: int = 0
    begins: int = 0
    raw_delays: list[int] = column(default_factory=list)
    delays: list[int] = column(default_factory=list)
    offset: int = 0
    over: int = 0
    history: bool = False
    hours: dict[int, list[int]] = column(default_factory=dict)
    learned: int = 0
    lived_to: int = 0
    last_in_at: int | None = None
    silence_at: int = NEVER
    auth_status: str | None = None
    auth_at: int | None = None
    expires_at: int | None = None
    messages: int = 0
    repeated: int = 0
    accepted: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    minute: int = 0
    inbound: int = 0
    outbound: int = 0
    minute_repeats: int = 0
    buckets: dict[int, int] = column(default_factory=dict)


Watched: TypeAlias = ConversationState | ChannelState
"""What conversations and channels have in common: open anomalies and spells by subject, checks, timer."""


class Conversation:
    """A conversation in memory.

    `twins` finds the messages of one body. `armed` and `used` are the runtime's: the due time its heap knows, and
    whether the conversation was needed lately.
    """

    __slots__ = ("armed", "conversation", "dirty", "key", "state", "twins", "used")

    def __init__(self, key: str, conversation: str, state: ConversationState) -> None:
        self.key = key
        self.conversation = conversation
        self.state = state
        self.twins: dict[bytes, str | list[str]] = {}
        self.dirty = False
        self.armed = NEVER
        self.used = False
        for message, held in state.held.items():
            if len(held.body) == BODY_BYTES:
                known = self.twins.setdefault(held.body, message)
                if known is not message:
                    self.twins[held.body] = [known, message] if isinstance(known, str) else [*known, message]


class Channel:
    """A channel in memory.

    `sent`: when every message held was sent, for checkpoints; None: not loaded. `keys`: when the labels of
    idempotency keys were heard (ms), oldest first; they would make the record grow with a week's traffic, so they are
    stored beside it. `usual_policy` and `vip_policy`: the first SLA policy that applies to a conversation.
    """

    __slots__ = (
        "account",
        "conversations",
        "dirty",
        "key",
        "keys",
        "limits",
        "platform",
        "sent",
        "state",
        "usual_policy",
        "vip_policy",
    )

    def __init__(
        self,
        key: str,
        names: tuple[str, str],
        state: ChannelState,
        limits: Limits,
        policies: Sequence[Policy],
    ) -> None:
        self.key = key
        self.platform, self.account = names
        self.state = state
        self.limits = limits
        concerned = [p for p in policies if _concerns(p, *names)]
        self.usual_policy = _first(concerned, "normal")
        self.vip_policy = _first(concerned, "high")
        self.sent: SentTimes | None = None
        self.keys: dict[bytes, int] = {}
        self.conversations: dict[str, Conversation] = {}
        self.dirty = False


BODY_BYTES = 8
"""Length of the fingerprint of a body that takes part in content duplicates; other bodies have shorter ones."""

_encoder = msgspec.msgpack.Encoder()
_conversations = msgspec.msgpack.Decoder(ConversationState)
_channels = msgspec.msgpack.Decoder(ChannelState)


def _concerns(policy: Policy, platform: str, account: str) -> bool:
    return (not policy.platforms or platform in policy.platforms) and (
        not policy.accounts or account in policy.accounts
    )


def _first(policies: Sequence[Policy], priority: str) -> Policy:
    """The policy for a priority; where none is for it the first of all, where there is none the default."""
    for policy in policies:
        if not policy.priorities or priority in policy.priorities:
            return policy
    return policies[0] if policies else Policy()


def encode_state(state: ConversationState | ChannelState) -> bytes:
    """The state as bytes (msgpack; unset fields left out)."""
    return _encoder.encode(state)


def decode_conversation(data: bytes) -> ConversationState:
    """The state of `encode_state`'s bytes; raises msgspec.DecodeError."""
    return _conversations.decode(data)


def decode_channel(data: bytes) -> ChannelState:
    """The state of `encode_state`'s bytes; raises msgspec.DecodeError."""
    return _channels.decode(data)
