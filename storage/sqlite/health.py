"""What the monitor reads: anomalies, traffic, channels, ledger, clocks, dead letters."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from msgspec import json

from actors.anomaly import Anomaly
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.records import (
    AnomalyCount,
    AnomalyFilter,
    ChannelRow,
    DeadLetter,
    LedgerRow,
    MinuteRow,
    Page,
    PartitionMark,
    SlaRow,
)
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database

_anomaly = json.Decoder(Anomaly)
_channel = json.Decoder(ChannelRow)


class SqliteHealth:
    """`storage.ports.HealthStore`."""

    _db: Database

    async def anomalies(self, where: AnomalyFilter, limit: int, cursor: str | None = None) -> Page[Anomaly]:
        """Anomalies by opened_at descending, then id."""
        after = decode_cursor(cursor, "anomalies", tuple[int, str]) if cursor else None
        return await self._db.read(_anomalies, where, bounded(limit), after)

    async def anomaly(self, anomaly_id: str) -> Anomaly | None:
        """One anomaly."""
        return await self._db.read(_one_anomaly, anomaly_id)

    async def anomaly_counts(self, where: AnomalyFilter) -> list[AnomalyCount]:
        """Counts by channel, kind, cause, status and severity."""
        return await self._db.read(_anomaly_counts, where)

    async def anomaly_minutes(self, where: AnomalyFilter, step_ms: int) -> list[tuple[int, str, int]]:
        """(bucket start in ms, kind, count) of anomalies opened, ascending; empty buckets left out."""
        return await self._db.read(_anomaly_minutes, where, max(1, step_ms))

    async def minutes(self, since: int, until: int, channel: str | None = None) -> list[MinuteRow]:
        """Traffic rows with since <= minute < until, ascending by minute, of one channel or all."""
        return await self._db.read(_minutes, since, until, channel)

    async def channels(self) -> list[ChannelRow]:
        """Every channel ever heard of, by key."""
        return await self._db.read(_channels)

    async def ledger(self) -> list[LedgerRow]:
        """The account of every channel, by key."""
        return await self._db.read(_ledger)

    async def marks(self) -> list[PartitionMark]:
        """Every partition ever saved."""
        return await self._db.read(_marks)

    async def sla_counts(self, now: int) -> dict[str, dict[str, int]]:  # noqa: ARG002 - warned and breached are told by the engine, so that this equals what the list shows
        """Per platform: how many conversations are `ok`, `at_risk`, `breached` (running response clocks only)."""
        return await self._db.read(_sla_counts)

    async def sla(self, key: str) -> list[SlaRow]:
        """The clocks of a conversation, by ordinal."""
        return await self._db.read(_sla, key)

    async def dead_letters(self, limit: int, cursor: str | None = None) -> Page[DeadLetter]:
        """What could not be applied, newest first."""
        after = decode_cursor(cursor, "dead_letters", tuple[int, int, int, int]) if cursor else None
        return await self._db.read(_dead_letters, bounded(limit), after)

    async def resolve_dead_letter(self, letter: DeadLetter, at: int) -> None:
        """Mark a dead letter as dealt with."""
        await self._db.write(_resolve_dead_letter, letter, at)


def _filtered(where: AnomalyFilter) -> tuple[list[str], list[Any]]:
    names = ("kind", "status", "severity", "platform", "account", "conversation", "message", "cause")
    given = [(name, value) for name in names if (value := getattr(where, name)) is not None]
    parts, values = [f"{name} = ?" for name, _ in given], [value for _, value in given]
    if where.since is not None:
        parts.append("opened_at >= ?")
        values.append(where.since)
    if where.until is not None:
        parts.append("opened_at < ?")
        values.append(where.until)
    if where.unresolved or where.status in {"open", "acknowledged"}:
        parts.append("status <> 'resolved'")
    return parts, values


def _where(parts: list[str]) -> str:
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def _anomalies(
    connection: Connection, where: AnomalyFilter, limit: int, after: tuple[int, str] | None
) -> Page[Anomaly]:
    parts, values = _filtered(where)
    if after:
        parts.append("(opened_at < ? OR (opened_at = ? AND id > ?))")
        values += [after[0], *after]
        parts.append("opened_at <= ?")
        values.append(after[0])
    source = f"FROM anomalies {_where(parts)} ORDER BY opened_at DESC, id LIMIT ?"
    rows = read_rows(connection, "body", source, [*values, limit + 1])
    items = [_anomaly.decode(body) for (body,) in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next=encode_cursor("anomalies", items[-1].opened_at, items[-1].id) if more else None)


def _one_anomaly(connection: Connection, anomaly_id: str) -> Anomaly | None:
    row = connection.execute("SELECT body FROM anomalies WHERE id = ?", (anomaly_id,)).fetchone()
    return _anomaly.decode(row[0]) if row else None


def _anomaly_counts(connection: Connection, where: AnomalyFilter) -> list[AnomalyCount]:
    parts, values = _filtered(where)
    group = "platform, account, kind, cause, status, severity"
    columns = (
        f"{group}, count(*) AS n, min(opened_at) AS oldest, max(opened_at) AS latest, sum(conversation IS NULL) AS wide"
    )
    rows = read_rows(connection, columns, f"FROM anomalies {_where(parts)} GROUP BY {group} ORDER BY {group}", values)
    return [
        AnomalyCount(
            platform=platform, account=account, kind=kind, cause=cause, status=status, severity=severity, count=count,
            oldest=oldest, latest=latest, channel_level=wide,
        )
        for platform, account, kind, cause, status, severity, count, oldest, latest, wide in rows
    ]  # fmt: skip


def _anomaly_minutes(connection: Connection, where: AnomalyFilter, step: int) -> list[tuple[int, str, int]]:
    parts, values = _filtered(where)
    source = f"FROM anomalies {_where(parts)} GROUP BY bucket, kind ORDER BY bucket, kind"
    rows = read_rows(connection, "opened_at / ? * ? AS bucket, kind, count(*) AS n", source, [step, step, *values])
    return [(bucket, kind, count) for bucket, kind, count in rows]


def _minutes(connection: Connection, since: int, until: int, channel: str | None) -> list[MinuteRow]:
    parts, values = ["minute >= ?", "minute < ?"], [since, until]
    if channel is not None:
        parts.append("channel = ?")
    columns = "channel, minute, inbound, outbound, duplicates, hex(delays) AS delays"
    rows = read_rows(
        connection,
        columns,
        f"FROM minutes {_where(parts)} ORDER BY minute, channel",
        [*values, *([channel] if channel is not None else [])],
    )
    return [
        MinuteRow(channel=name, minute=minute, inbound=i, outbound=o, duplicates=d, delays=bytes.fromhex(delays))
        for name, minute, i, o, d, delays in rows
    ]


def _channels(connection: Connection) -> list[ChannelRow]:
    rows = read_rows(connection, "row", "FROM channels WHERE row IS NOT NULL ORDER BY key")
    return [_channel.decode(row) for (row,) in rows]


def _ledger(connection: Connection) -> list[LedgerRow]:
    rows = read_rows(connection, "channel, accepted, stored, duplicates, rejected", "FROM ledger ORDER BY channel")
    return [LedgerRow(channel=c, accepted=a, stored=s, duplicates=d, rejected=r) for c, a, s, d, r in rows]


def _marks(connection: Connection) -> list[PartitionMark]:
    rows = read_rows(connection, "partition, applied, time, drift, version", "FROM marks ORDER BY partition")
    return [PartitionMark(partition=p, applied=a, time=t, drift=d, version=v) for p, a, t, d, v in rows]


def _sla_counts(connection: Connection) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    source = "FROM conversations WHERE sla IS NOT NULL GROUP BY platform, sla ORDER BY platform"
    for platform, sla, count in read_rows(connection, "platform, sla, count(*) AS n", source):
        counts.setdefault(platform, {"ok": 0, "at_risk": 0, "breached": 0})[sla] = count
    return counts


def _sla(connection: Connection, key: str) -> list[SlaRow]:
    columns = "ordinal, kind, started_at, due_at, warned_at, breached_at, answered_at, stopped"
    source = "FROM sla WHERE conversation = (SELECT id FROM conversation_keys WHERE key = ?) ORDER BY ordinal"
    rows = read_rows(connection, columns, source, (key,))
    return [
        SlaRow(
            key=key, ordinal=ordinal, kind=kind, started_at=started, due_at=due, warned_at=warned, breached_at=breached,
            answered_at=answered, stopped=bool(stopped),
        )
        for ordinal, kind, started, due, warned, breached, answered, stopped in rows
    ]  # fmt: skip


def _dead_letters(connection: Connection, limit: int, after: tuple[int, int, int, int] | None) -> Page[DeadLetter]:
    columns = "partition, offset, entry, at, channel, reason, hex(raw) AS raw, resolved_at"
    where = "WHERE at <= ? AND (at, partition, offset, entry) < (?, ?, ?, ?)" if after else ""
    source = f"FROM dead_letters {where} ORDER BY at DESC, partition DESC, offset DESC, entry DESC LIMIT ?"
    rows = read_rows(connection, columns, source, [*((after[0], *after) if after else ()), limit + 1])
    items = [
        DeadLetter(
            partition=partition, offset=offset, index=entry, at=at, channel=channel, reason=reason,
            raw=bytes.fromhex(raw), resolved_at=resolved_at,
        )
        for partition, offset, entry, at, channel, reason, raw, resolved_at in rows[:limit]
    ]  # fmt: skip
    last = items[-1] if len(rows) > limit else None
    following = encode_cursor("dead_letters", last.at, last.partition, last.offset, last.index) if last else None
    return Page(items=items, next=following)


def _resolve_dead_letter(connection: Connection, letter: DeadLetter, at: int) -> None:
    sql = "UPDATE dead_letters SET resolved_at = ? WHERE partition = ? AND offset = ? AND entry = ?"
    connection.execute(sql, (at, letter.partition, letter.offset, letter.index))
