"""Records that cross the storage port: what is written in one flush, and what reads give back.

All times are integer milliseconds since the epoch. Keys are those of `actors.keys`.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct, field

from actors.effects import Effects
from actors.events import Value
from storage.inbox_records import Scope
from storage.label_records import ConversationLabelled

Row = TypeVar("Row")
Role: TypeAlias = Literal["admin", "supervisor", "agent", "finance", "after_sales", "product", "operations", "viewer"]


class PartitionMark(Struct, frozen=True, kw_only=True):
    """How far a partition is processed.

    `applied`: last log offset applied (-1: none); `time`: its stream's observed time; `drift`: that time minus the
    gateway's clock when it was accepted; `version` grows with every save and fences writers.
    """

    partition: int
    applied: int = -1
    time: int = 0
    drift: int = 0
    version: int = 0


class StateRow(Struct, frozen=True, gc=False):
    """One encoded actor state. `due`: its next timer (ms), or None."""

    key: str
    state: bytes
    due: int | None = None


class ChannelRow(Struct, frozen=True, kw_only=True):
    """One channel as the monitor reads it. Times in ms.

    `hourly` is the learned rate of inbound messages per hour for each hour of the day, UTC (24 numbers); `offset_ms`
    the platform clock's learned offset (0 or negative).
    """

    key: str
    platform: str
    account: str
    first_at: int
    last_at: int
    last_in_at: int | None = None
    messages: int = 0
    duplicates: int = 0
    offset_ms: int = 0
    learned: int = 0
    hourly: list[float] = field(default_factory=list)
    auth_status: str | None = None
    auth_at: int | None = None
    auth_expires_at: int | None = None


class MinuteRow(Struct, frozen=True, kw_only=True, gc=False):
    """One channel's traffic in one minute of observed time, whole (replaces an earlier row of that minute).

    `minute` counts minutes since the epoch. `delays` is an encoded `actors.sketch.Sketch` of corrected delays in ms;
    merge the rows of a span for its quantiles.
    """

    channel: str
    minute: int
    inbound: int = 0
    outbound: int = 0
    duplicates: int = 0
    delays: bytes = b""


class LedgerRow(Struct, frozen=True, kw_only=True, gc=False):
    """The account of one channel since ever (`""`: what belongs to none); accepted = stored + duplicates + rejected."""

    channel: str
    accepted: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A log entry that could not be applied, kept with its bytes and reason."""

    partition: int
    offset: int
    index: int
    at: int
    reason: str
    raw: bytes
    channel: str = ""
    resolved_at: int | None = None


class Batch(Struct, kw_only=True):
    """Everything one flush of one partition changes; saved whole or not at all.

    `mark` is the partition's new mark; `mark.version - 1` must be the stored version, else the writer lost its
    partition and `FencedError` is raised. Every list may be empty.
    """

    mark: PartitionMark
    channels: list[StateRow] = field(default_factory=list)
    conversations: list[StateRow] = field(default_factory=list)
    channel_rows: list[ChannelRow] = field(default_factory=list)
    effects: Effects = field(default_factory=Effects)
    minutes: list[MinuteRow] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    labelled: list[ConversationLabelled] = field(default_factory=list)
    """One a conversation at most, of those that got a message."""


class Page(Struct, Generic[Row], kw_only=True):
    """One page of a list; `next` is the cursor of the page after it."""

    items: list[Row]
    next: str | None = None


class AnomalyFilter(Struct, frozen=True, kw_only=True):
    """Which anomalies; None means all. `since`/`until` bound `opened_at` (ms, [since, until))."""

    kind: str | None = None
    status: str | None = None
    severity: str | None = None
    platform: str | None = None
    account: str | None = None
    conversation: str | None = None
    message: str | None = None
    since: int | None = None
    until: int | None = None
    unresolved: bool = False
    cause: str | None = None
    """The `cause` of the evidence (`gap`, `reference`, `checkpoint`, `outbound`, `silence`, `auth`)."""


class AnomalyCount(Struct, frozen=True, kw_only=True, gc=False):
    """How many anomalies of one kind and cause a channel has, by status and severity.

    For the matrix, the heat map and incidents. `cause` is that of the evidence (`""` without one); `oldest` and
    `latest` are the first and last `opened_at`.
    """

    platform: str
    account: str
    kind: str
    status: str
    severity: str
    count: int
    oldest: int
    latest: int
    cause: str = ""
    channel_level: int = 0
    """How many of them concern the whole channel (no conversation)."""


class ConversationFilter(Struct, frozen=True, kw_only=True):
    """Which conversations; None means all. `q` searches message texts, ids, orders and names."""

    platform: str | None = None
    account: str | None = None
    status: str | None = None
    assignee: str | None = None
    sla: str | None = None
    label: str | None = None
    q: str | None = None
    contact: str | None = None
    order: str | None = None
    sensitive: bool | None = None
    scope: Scope = Scope(everything=True)


class ConversationRow(Struct, frozen=True, kw_only=True):
    """One conversation as the inbox lists it. `sla`: ok, at_risk, breached or None when no clock runs.

    `team` is the one it was given; `automatic`: a rule assigned it, no person; `desk_version` grows with every change
    that people or rules make. `unread`: inbound messages since somebody opened or answered it. `troubles`: kinds of
    its unresolved anomalies, and `delay` and `duplicate` for a week after, sorted. `value`: the latest one told.
    `labels`: those in effect, sorted; `guessed_lang`: the language of its texts where no platform told one;
    `sensitive`: a customer used words that somebody should look at first.
    """

    key: str
    platform: str
    account: str
    conversation: str
    status: Literal["open", "closed"] = "open"
    contact_id: str | None = None
    contact_name: str | None = None
    order: str | None = None
    lang: str | None = None
    vip: bool = False
    messages: int = 0
    first_at: int = 0
    last_at: int = 0
    last_sent_at: int = 0
    last_direction: str | None = None
    last_text: str | None = None
    assignee: str | None = None
    sla: Literal["ok", "at_risk", "breached"] | None = None
    sla_kind: str | None = None
    sla_due_at: int | None = None
    team: str | None = None
    assigned_at: int | None = None
    automatic: bool = False
    snoozed_until: int | None = None
    archived: bool = False
    desk_version: int = 0
    unread: int = 0
    value: Value | None = None
    troubles: list[str] = field(default_factory=list[str])
    labels: list[str] = field(default_factory=list[str])
    guessed_lang: str | None = None
    sensitive: bool = False


class MessageRow(Struct, frozen=True, kw_only=True):
    """One message Weir holds, with how far it came.

    `hops`: first time each hop was reached (ms). `text` is the newest version's; `versions` holds every one, the first
    too, as {`at`, `what`: sent/edited/deleted, `text`}, and is empty when nothing changed. `attachments` are as
    announced, with `status`, `status_at` and `detail` once known. `copies`: how often it was delivered again.
    `translations`: those whose words were told, as {`at`, `text`, `source`, `target`}; `failure`: why it was not
    delivered, as {`at`, `reason`}, the last time that this was told.
    """

    key: str
    message: str
    direction: str
    sent_at: int
    at: int
    sender_id: str | None = None
    sender_name: str | None = None
    sender_role: str | None = None
    text: str | None = None
    lang: str | None = None
    seq: int | None = None
    reply_to: str | None = None
    order: str | None = None
    via: str | None = None
    vip: bool = False
    history: bool = False
    attachments: list[dict[str, Any]] = field(default_factory=list)
    delay: int | None = None
    merged_into: str | None = None
    copies: int = 0
    versions: list[dict[str, Any]] = field(default_factory=list)
    hops: dict[str, int] = field(default_factory=dict)
    extra: Any = None
    partition: int | None = None
    offset: int | None = None
    stored_at: int | None = None
    translations: list[dict[str, Any]] = field(default_factory=list)
    failure: dict[str, Any] | None = None


class SlaRow(Struct, frozen=True, kw_only=True, gc=False):
    """One SLA clock as stored; times in ms."""

    key: str
    ordinal: int
    kind: str
    started_at: int
    due_at: int
    warned_at: int | None = None
    breached_at: int | None = None
    answered_at: int | None = None
    stopped: bool = False


class User(Struct, frozen=True, kw_only=True):
    """A person who may log in. `password_hash` is an argon2id encoded hash.

    `langs`: languages he reads; `capacity`: how many open conversations are given to him by themselves at most.
    """

    id: str
    name: str
    role: Role
    password_hash: str
    created_at: int
    disabled: bool = False
    lang: str | None = None
    theme: str | None = None
    langs: list[str] = field(default_factory=list[str])
    capacity: int = 20


class Session(Struct, frozen=True, kw_only=True):
    """A logged-in browser; `digest` is the SHA-256 of its cookie."""

    digest: str
    user: str
    created_at: int
    expires_at: int


class Token(Struct, frozen=True, kw_only=True):
    """An API token; `digest` is the SHA-256 of the secret, which is shown once and never stored."""

    id: str
    name: str
    role: Role
    digest: str
    created_by: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


class AuditRow(Struct, frozen=True, kw_only=True):
    """One change somebody made: who, when, what, on what, before and after. `id` is given by the store."""

    at: int
    who: str
    what: str
    subject: str
    before: Any = None
    after: Any = None
    id: int = 0


class ThresholdVersion(Struct, frozen=True, kw_only=True):
    """One version of the thresholds, whole. `draft` ones are not in force; `overrides` as in `actors.thresholds`."""

    version: int
    at: int
    who: str
    overrides: dict[str, dict[str, Any]]
    note: str = ""
    draft: bool = False


class Mute(Struct, frozen=True, kw_only=True):
    """Anomalies nobody wants to be told of for a while; they are still counted.

    None means all. In force in [`at`, `until`), or to `ended_at` when somebody lifted it; times in ms.
    """

    id: str
    at: int
    until: int
    who: str
    reason: str
    kind: str | None = None
    platform: str | None = None
    account: str | None = None
    ended_at: int | None = None


class BoundChannel(Struct, frozen=True, kw_only=True):
    """A channel bound to its platform. Times in ms; `changed_at` grows with every change of the binding.

    `url`: the address registered at the platform; `settings`: those that are no secrets; `sealed`: the secret ones,
    encrypted with the key whose id is `key`. `expires_at`: when the authorisation runs out; `refresh_by`: until when
    it can be renewed without a person; `scopes`: the permissions granted; each None when the platform did not tell.
    """

    platform: str
    account: str
    url: str
    settings: dict[str, str]
    sealed: bytes
    key: str
    created_at: int
    created_by: str
    changed_at: int
    expires_at: int | None = None
    refresh_by: int | None = None
    scopes: list[str] | None = None

    def __repr__(self) -> str:
        """Without the settings, whose values belong into no log."""
        return f"BoundChannel(platform={self.platform!r}, account={self.account!r}, key={self.key!r})"


class ProcessBeat(Struct, frozen=True, kw_only=True):
    """The latest sign of life of one process of a deployment. Times in ms, of its own clock.

    `role`: worker, web, connect or serve; `partitions`: those it processes; `health`: what it says of itself, plain
    JSON, of the shape its role defines.
    """

    process: str
    role: str
    at: int
    started_at: int
    version: str = ""
    partitions: list[int] = field(default_factory=list[int])
    health: dict[str, Any] = field(default_factory=dict[str, Any])
