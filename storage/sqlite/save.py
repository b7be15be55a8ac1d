"""One flush in one transaction: the fence first, then everything of a batch, many rows a statement."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from sqlite3 import Connection
from time import time

from msgspec import json

from actors.anomaly import Anomaly
from storage.drafts import cause_of
from storage.errors import FencedError
from storage.records import Batch, PartitionMark
from storage.sqlite.bulk import write_rows
from storage.sqlite.keys import KeyNumbers
from storage.sqlite.labels import save_labels
from storage.sqlite.save_conversations import save_clocks, save_conversations
from storage.sqlite.save_messages import save_messages
from storage.sqlite.save_progress import save_attachments, save_hops, save_repeats

_json = json.Encoder()


def save(connection: Connection, numbers: KeyNumbers, batch: Batch) -> None:
    """Write a batch within the caller's transaction; raises FencedError when its version does not follow."""
    _fence(connection, batch.mark)
    numbers.start(connection)
    effects = batch.effects
    known, new = numbers.conversations(connection, _keys(batch))
    stored = save_messages(connection, effects.messages, known, new, batch.mark.partition, int(time() * 1000))
    labelled = {row.key: row for row in batch.labelled}
    save_conversations(connection, stored, effects.changes, known, labelled)
    save_labels(connection, labelled.values(), known, batch.mark.time)
    save_repeats(connection, effects.repeats, known)
    save_hops(connection, effects.hops, known)
    save_attachments(connection, effects.attachments, known)
    save_clocks(connection, effects.sla, known)
    _save_anomalies(connection, effects.anomalies)
    _save_channels(connection, numbers, batch)
    _save_keys(connection, numbers, batch)
    _save_states(connection, known, batch)
    _save_figures(connection, batch)


def _keys(batch: Batch) -> Iterable[str]:
    effects = batch.effects
    lists = (effects.messages, effects.repeats, effects.hops, effects.attachments, effects.changes, effects.sla)
    return chain((row.key for row in batch.conversations), (row.key for rows in lists for row in rows))


def _fence(connection: Connection, mark: PartitionMark) -> None:
    values = (mark.applied, mark.time, mark.drift, mark.version, mark.partition, mark.version - 1)
    moved = connection.execute(
        "UPDATE marks SET applied = ?, time = ?, drift = ?, version = ? WHERE partition = ? AND version = ?", values
    ).rowcount
    if not moved and mark.version == 1:
        moved = connection.execute(
            """INSERT INTO marks (applied, time, drift, version, partition) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING""",
            values[:5],
        ).rowcount
    if not moved:
        raise FencedError(
            f"partition {mark.partition} was saved by another worker: version {mark.version} does not follow"
            " the stored one; stop this worker or let it read the partition anew"
        )


def _save_anomalies(connection: Connection, anomalies: list[Anomaly]) -> None:
    latest = {anomaly.id: anomaly for anomaly in anomalies}
    rows = [
        (
            a.id, a.opened_at, a.resolved_at, a.kind, a.status, a.severity, cause_of(a), a.platform, a.account,
            a.conversation, a.message, _json.encode(a).decode(),
        )
        for a in latest.values()
    ]  # fmt: skip
    write_rows(
        connection,
        """INSERT INTO anomalies (id, opened_at, resolved_at, kind, status, severity, cause, platform, account,
            conversation, message, body) VALUES {rows}
        ON CONFLICT (id) DO UPDATE SET opened_at = excluded.opened_at, resolved_at = excluded.resolved_at,
            kind = excluded.kind, status = excluded.status, severity = excluded.severity, cause = excluded.cause,
            platform = excluded.platform, account = excluded.account, conversation = excluded.conversation,
            message = excluded.message, body = excluded.body""",
        rows,
    )


def _save_channels(connection: Connection, numbers: KeyNumbers, batch: Batch) -> None:
    channels = numbers.channels(connection, (row.key for row in batch.channel_rows))
    write_rows(
        connection,
        "INSERT INTO channels (id, key, row) VALUES {rows} ON CONFLICT (id) DO UPDATE SET row = excluded.row",
        [(channels[row.key], row.key, _json.encode(row).decode()) for row in batch.channel_rows],
    )


def _save_keys(connection: Connection, numbers: KeyNumbers, batch: Batch) -> None:
    keys = batch.effects.keys
    channels = numbers.channels(connection, {row.key for row in keys})
    write_rows(
        connection,
        "INSERT INTO event_keys (partition, at, channel, label) VALUES {rows} ON CONFLICT DO NOTHING",
        [(batch.mark.partition, row.at, channels[row.key], row.label) for row in keys],
    )


def _save_states(connection: Connection, known: dict[str, tuple[int, int]], batch: Batch) -> None:
    partition = batch.mark.partition
    write_rows(
        connection,
        "INSERT OR REPLACE INTO channel_states (key, partition, due, state) VALUES {rows}",
        [(row.key, partition, row.due, row.state) for row in batch.channels],
    )
    # In the order of their place in the file, so that neighbours on a page are written together.
    states = sorted((known[row.key][0], partition, row.due, row.state) for row in batch.conversations)
    write_rows(
        connection,
        """INSERT INTO conversation_states (id, partition, due, state) VALUES {rows} ON CONFLICT (id)
        DO UPDATE SET partition = excluded.partition, due = excluded.due, state = excluded.state""",
        states,
    )


def _save_figures(connection: Connection, batch: Batch) -> None:
    write_rows(
        connection,
        "INSERT OR REPLACE INTO minutes (minute, channel, inbound, outbound, duplicates, delays) VALUES {rows}",
        [(row.minute, row.channel, row.inbound, row.outbound, row.duplicates, row.delays) for row in batch.minutes],
    )
    write_rows(
        connection,
        "INSERT OR REPLACE INTO ledger (channel, accepted, stored, duplicates, rejected) VALUES {rows}",
        [(row.channel, row.accepted, row.stored, row.duplicates, row.rejected) for row in batch.ledger],
    )
    # A letter that was dealt with stays so when it comes again.
    write_rows(
        connection,
        """INSERT INTO dead_letters (partition, offset, entry, at, channel, reason, raw, resolved_at) VALUES {rows}
        ON CONFLICT (partition, offset, entry) DO UPDATE SET at = excluded.at, channel = excluded.channel,
            reason = excluded.reason, raw = excluded.raw, resolved_at = coalesce(resolved_at, excluded.resolved_at)""",
        [(d.partition, d.offset, d.index, d.at, d.channel, d.reason, d.raw, d.resolved_at) for d in batch.dead_letters],
    )
