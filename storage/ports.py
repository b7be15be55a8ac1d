"""The storage port: everything Weir asks of a database. Each adapter passes tests/storage/contract.py.

Every method may raise StoreBusyError or StoreFullError (retry later) or StoreDamagedError (stop). Lists come newest
first unless said otherwise; cursors are opaque, stable under inserts, and a bad one raises RejectedError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.anomaly import Anomaly
from actors.effects import KeyRemembered
from storage.alert_ports import AlertStore
from storage.channel_ports import ChannelStore
from storage.contact_ports import ContactStore
from storage.inbox_ports import DeskStore
from storage.label_ports import LabelStore
from storage.records import (
    AnomalyCount,
    AnomalyFilter,
    AuditRow,
    Batch,
    BoundChannel,
    ChannelRow,
    ConversationFilter,
    ConversationRow,
    DeadLetter,
    LedgerRow,
    MessageRow,
    MinuteRow,
    Mute,
    Page,
    PartitionMark,
    ProcessBeat,
    Session,
    SlaRow,
    StateRow,
    ThresholdVersion,
    Token,
    User,
)
from storage.search_ports import SearchStore
from storage.view_ports import ViewStore
from storage.workload_ports import WorkloadStore
from storage.writing_ports import WritingStore


class Archive(Protocol):
    """Takes messages before they are forgotten."""

    async def put(self, rows: Sequence[MessageRow]) -> None:
        """Keep these messages for good; durable when it returns. Raises ArchiveError when they are not.

        A message may come again, after a crash or when two processes forget at once.
        """
        ...


class EngineStore(Protocol):
    """What the engine needs: its states back, and one atomic save per flush."""

    async def mark(self, partition: int) -> PartitionMark:
        """How far a partition is processed; a fresh mark when it never was.

        For whoever is about to be the partition's writer, and for nobody else: it may take the partition over, so that
        an earlier writer's next save raises FencedError. To look on, read `marks`.
        """
        ...

    async def channel_states(self, partition: int) -> list[StateRow]:
        """Every channel state of a partition."""
        ...

    async def conversation_states(self, keys: Sequence[str]) -> list[StateRow]:
        """The states of these conversations; unknown keys are absent."""
        ...

    async def armed(self, partition: int) -> list[tuple[int, str]]:
        """(due, key) of every conversation of a partition with a timer, for rebuilding the heap; any order."""
        ...

    async def sent_times(self, channel: str, since: int) -> list[int]:
        """`sent_at` of every message held of a channel (merged ones too) with sent_at >= since, ascending."""
        ...

    async def event_keys(self, partition: int, since: int) -> list[KeyRemembered]:
        """The idempotency keys remembered by the channels of a partition with at >= since, by `at` ascending."""
        ...

    async def save(self, batch: Batch) -> None:
        """Write everything of a batch, whole or not at all; raises FencedError when the version does not fit.

        After a RetriableError the same batch may be saved again: it is written once.
        """
        ...


class HealthStore(Protocol):
    """What the monitor reads."""

    async def anomalies(self, where: AnomalyFilter, limit: int, cursor: str | None = None) -> Page[Anomaly]:
        """Anomalies by opened_at descending, then id."""
        ...

    async def anomaly(self, anomaly_id: str) -> Anomaly | None:
        """One anomaly."""
        ...

    async def anomaly_counts(self, where: AnomalyFilter) -> list[AnomalyCount]:
        """Counts by channel, kind, cause (of the evidence, `""` without one), status and severity."""
        ...

    async def anomaly_minutes(self, where: AnomalyFilter, step_ms: int) -> list[tuple[int, str, int]]:
        """(bucket start in ms, kind, count) of anomalies opened, ascending; buckets of `step_ms`, no empty ones."""
        ...

    async def minutes(self, since: int, until: int, channel: str | None = None) -> list[MinuteRow]:
        """Traffic rows with since <= minute < until, ascending by minute, of one channel or all."""
        ...

    async def channels(self) -> list[ChannelRow]:
        """Every channel ever heard of, by key."""
        ...

    async def ledger(self) -> list[LedgerRow]:
        """The account of every channel."""
        ...

    async def marks(self) -> list[PartitionMark]:
        """Every partition ever saved, each with the last flush that is written whole."""
        ...

    async def sla_counts(self, now: int) -> dict[str, dict[str, int]]:
        """Per platform: how many conversations are `ok`, `at_risk`, `breached` (running response clocks only)."""
        ...

    async def sla(self, key: str) -> list[SlaRow]:
        """The clocks of a conversation, by ordinal."""
        ...

    async def dead_letters(self, limit: int, cursor: str | None = None) -> Page[DeadLetter]:
        """What could not be applied."""
        ...

    async def resolve_dead_letter(self, letter: DeadLetter, at: int) -> None:
        """Mark a dead letter as dealt with."""
        ...


class ProcessStore(Protocol):
    """Which processes make up this deployment, and how they are."""

    async def beat(self, beat: ProcessBeat) -> None:
        """Replace the process's last sign of life."""
        ...

    async def beats(self, since: int) -> list[ProcessBeat]:
        """Processes with at >= since, by process."""
        ...

    async def forget_beats(self, before: int) -> None:
        """Forget the processes with at < before."""
        ...


class InboxStore(Protocol):
    """Conversations, messages, search."""

    async def conversations(
        self, where: ConversationFilter, limit: int, cursor: str | None = None
    ) -> Page[ConversationRow]:
        """Conversations by last_at descending."""
        ...

    async def conversation(self, key: str) -> ConversationRow | None:
        """One conversation."""
        ...

    async def messages(self, key: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of a conversation by sent_at, then at, then id, ascending; merged duplicates left out."""
        ...

    async def latest_messages(
        self, key: str, limit: int, before: tuple[int, int, str] | None = None
    ) -> list[MessageRow]:
        """The last messages of a conversation in the order of `messages`, the last one first.

        `before`: only those that stand before that (`sent_at`, `at`, message).
        """
        ...

    async def messages_since(self, key: str, since: int, limit: int) -> list[MessageRow]:
        """Messages of a conversation with at >= `since`, by `at`, then id, ascending; merged duplicates left out."""
        ...

    async def message(self, key: str, message: str) -> MessageRow | None:
        """One message, merged ones too."""
        ...

    async def messages_of_id(self, message: str, limit: int) -> list[MessageRow]:
        """Messages with exactly this id, merged ones too; one a conversation, the latest by observed time first.

        An id without any letter, digit or symbol of a script may be left unfound.
        """
        ...

    async def channel_messages(self, channel: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """The latest messages of a channel by observed time, for the drill-down; merged ones too."""
        ...

    async def counts(self) -> dict[str, dict[str, int]]:
        """Per channel key: `stored` (distinct messages held), `merged`, `conversations`; for the audit."""
        ...


class SettingsStore(Protocol):
    """Thresholds with their history."""

    async def thresholds(self) -> ThresholdVersion | None:
        """The version in force."""
        ...

    async def threshold_history(self, limit: int) -> list[ThresholdVersion]:
        """Versions, newest first, drafts too."""
        ...

    async def put_thresholds(self, version: ThresholdVersion, audit: AuditRow) -> bool:
        """Store a version with its audit row; False when that version number is taken (somebody was faster)."""
        ...


class MuteStore(Protocol):
    """What is muted, and what was."""

    async def mutes(self, limit: int) -> list[Mute]:
        """Mutes, those in force and past ones, by `until` descending, then id."""
        ...

    async def put_mute(self, mute: Mute, audit: AuditRow) -> None:
        """Create or replace a mute, with its audit row."""
        ...


class BindingStore(Protocol):
    """Which channels are bound to their platforms."""

    async def bindings(self) -> list[BoundChannel]:
        """Every bound channel, by platform, then account."""
        ...

    async def binding(self, platform: str, account: str) -> BoundChannel | None:
        """One bound channel."""
        ...

    async def save_binding(self, binding: BoundChannel, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Bind a channel, or with `replaces` change the binding whose `changed_at` that is, with its audit row.

        False, and nothing is written, when the store holds another state of it: somebody was faster.
        """
        ...

    async def delete_binding(self, platform: str, account: str, audit: AuditRow) -> bool:
        """Forget a binding, and note it; False, and nothing is noted, when there is none."""
        ...


class AccountStore(Protocol):
    """People, sessions, tokens, and the log of what they changed."""

    async def users(self) -> list[User]:
        """Everybody, by name."""
        ...

    async def user(self, name: str) -> User | None:
        """The user with that login name (case-insensitive)."""
        ...

    async def put_user(self, user: User, audit: AuditRow) -> None:
        """Create or replace a user, with its audit row. Hashes are never part of audit rows."""
        ...

    async def session(self, digest: str) -> Session | None:
        """One session."""
        ...

    async def put_session(self, session: Session) -> None:
        """Create a session."""
        ...

    async def delete_sessions(
        self, *, digest: str | None = None, user: str | None = None, expired_before: int | None = None
    ) -> None:
        """Delete one session, all of a user, or all that expired."""
        ...

    async def tokens(self) -> list[Token]:
        """All API tokens, revoked ones too."""
        ...

    async def token(self, digest: str) -> Token | None:
        """The token with that digest."""
        ...

    async def put_token(self, token: Token, audit: AuditRow | None = None) -> None:
        """Create or replace a token."""
        ...

    async def token_used(self, digest: str, at: int) -> None:
        """Note when a token was last used (ms), and change nothing else of it; an unknown token is ignored."""
        ...

    async def append_audit(self, row: AuditRow) -> None:
        """Note a change that has no other row."""
        ...

    async def audit(
        self,
        limit: int,
        cursor: str | None = None,
        subject: str | None = None,
        *,
        who: str | None = None,
        what: str | None = None,
    ) -> Page[AuditRow]:
        """The log of changes; `subject` and `who` as they stand, `what` by how it begins."""
        ...

    async def audit_trail(
        self, subject: str, limit: int, *, before: int | None = None, since: int | None = None, but: Sequence[str] = ()
    ) -> list[AuditRow]:
        """Changes of one subject by id descending, ids < `before` and > `since`, apart from those called `but`."""
        ...


class Store(
    EngineStore,
    HealthStore,
    ProcessStore,
    InboxStore,
    SearchStore,
    SettingsStore,
    MuteStore,
    BindingStore,
    AccountStore,
    ChannelStore,
    ViewStore,
    AlertStore,
    ContactStore,
    DeskStore,
    WritingStore,
    LabelStore,
    WorkloadStore,
    Protocol,
):
    """One database that does it all."""

    async def open(self) -> None:
        """Connect, create or migrate the schema. Raises StoreDamagedError or ConfigurationError."""
        ...

    async def close(self) -> None:
        """Finish writes and disconnect."""
        ...

    async def prune(self, before: int, archive: Archive | None = None) -> int:
        """Forget messages, minutes, resolved anomalies, finished clocks older than `before` (ms); the rows deleted.

        Each chunk of messages, merged ones too, is put into the archive first, whole as `message` shows them. What
        the archive raises ends the call: messages that it did not take are still there.

        Replies that were sent or failed and jobs that were given up go by when that was; those that are still to be
        settled stay. Notes go by when they were written, drafts by when they were last changed. By their own terms,
        whatever `before`: idempotency keys, a week before their partition's time, and parked receipts, a day before the
        newest one.
        """
        ...

    async def check(self) -> list[str]:
        """What is wrong with the database, as sentences that say how to mend it; empty when all is well."""
        ...


__all__ = [
    "AccountStore",
    "Archive",
    "BindingStore",
    "EngineStore",
    "HealthStore",
    "InboxStore",
    "MuteStore",
    "ProcessStore",
    "SearchStore",
    "SettingsStore",
    "Store",
]
