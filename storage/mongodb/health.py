"""What the monitor reads: anomalies, traffic, channels, ledger, clocks, dead letters."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import json

from actors.anomaly import Anomaly
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.flushes import public_mark
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

_anomaly = json.Decoder(Anomaly)
_channel = json.Decoder(ChannelRow)
_FILTERS = ("kind", "status", "severity", "platform", "account", "conversation", "message", "cause")
_COUNTED = ("platform", "account", "kind", "cause", "status", "severity")
LOWEST = -(1 << 63)


class MongoHealth:
    """`storage.ports.HealthStore`."""

    _db: Database

    async def anomalies(self, where: AnomalyFilter, limit: int, cursor: str | None = None) -> Page[Anomaly]:
        """Anomalies by opened_at descending, then id."""
        after = decode_cursor(cursor, "anomalies", tuple[int, str]) if cursor else None
        limit = bounded(limit)
        condition = _condition(where)
        if after:
            at, name = after
            condition["$or"] = [{"opened_at": {"$lt": at}}, {"opened_at": at, "_id": {"$gt": name}}]
        with self._db.talk() as db:
            found = db.anomalies.find(condition, {"body": 1}, sort=[("opened_at", -1), ("_id", 1)], limit=limit + 1)
            rows = await found.to_list()
        items = [_anomaly.decode(row["body"]) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items=items, next=encode_cursor("anomalies", items[-1].opened_at, items[-1].id) if more else None)

    async def anomaly(self, anomaly_id: str) -> Anomaly | None:
        """One anomaly."""
        with self._db.talk() as db:
            row = await db.anomalies.find_one({"_id": anomaly_id})
        return _anomaly.decode(row["body"]) if row else None

    async def anomaly_counts(self, where: AnomalyFilter) -> list[AnomalyCount]:
        """Counts by channel, kind, cause, status and severity."""
        counts: dict[tuple[str, ...], list[int]] = {}
        shown = dict.fromkeys(("opened_at", "conversation", *_COUNTED), 1)
        with self._db.talk() as db:
            # Not every server of this protocol can group by more than a count.
            async for row in db.anomalies.find(_condition(where), shown, batch_size=ROWS_A_FETCH):
                at = row["opened_at"]
                group = tuple(row[name] for name in _COUNTED)
                tally = counts.setdefault(group, [0, at, at, 0])
                tally[0] += 1
                tally[1] = min(tally[1], at)
                tally[2] = max(tally[2], at)
                tally[3] += "conversation" not in row
        return [
            AnomalyCount(
                **dict(zip(_COUNTED, group, strict=True)), count=count, oldest=oldest, latest=latest, channel_level=wide
            )
            for group, (count, oldest, latest, wide) in sorted(counts.items())
        ]

    async def anomaly_minutes(self, where: AnomalyFilter, step_ms: int) -> list[tuple[int, str, int]]:
        """(bucket start in ms, kind, count) of anomalies opened, ascending; empty buckets left out."""
        step = max(1, step_ms)
        counts: Counter[tuple[int, str]] = Counter()
        with self._db.talk() as db:
            shown = {"_id": 0, "opened_at": 1, "kind": 1}
            async for row in db.anomalies.find(_condition(where), shown, batch_size=ROWS_A_FETCH):
                counts[row["opened_at"] // step * step, row["kind"]] += 1
        return [(bucket, kind, count) for (bucket, kind), count in sorted(counts.items())]

    async def minutes(self, since: int, until: int, channel: str | None = None) -> list[MinuteRow]:
        """Traffic rows with since <= minute < until, ascending by minute, of one channel or all."""
        where: Row = {"minute": {"$gte": since, "$lt": until}}
        if channel is not None:
            where["channel"] = channel
        with self._db.talk() as db:
            found = db.minutes.find(where, sort=[("minute", 1), ("channel", 1)], batch_size=ROWS_A_FETCH)
            return [_minute(row) async for row in found]

    async def channels(self) -> list[ChannelRow]:
        """Every channel ever heard of, by key."""
        with self._db.talk() as db:
            found = db.channels.find({"row": {"$exists": True}}, {"row": 1}, sort=[("_id", 1)])
            return [_channel.decode(row["row"]) async for row in found]

    async def ledger(self) -> list[LedgerRow]:
        """The account of every channel, by key."""
        with self._db.talk() as db:
            return [_account(row) async for row in db.ledger.find(sort=[("_id", 1)])]

    async def marks(self) -> list[PartitionMark]:
        """Every partition ever saved, each with the last flush that is written whole."""
        with self._db.talk() as db:
            found = db.marks.find({"done": {"$gt": 0}}, {"redo": 0}, sort=[("_id", 1)])
            return [public_mark(row) async for row in found]

    async def sla_counts(self, now: int) -> dict[str, dict[str, int]]:  # noqa: ARG002 - warned and breached are told by the engine, so that this equals what the list shows
        """Per platform: how many conversations are `ok`, `at_risk`, `breached` (running response clocks only)."""
        states = ("ok", "at_risk", "breached")
        steps: list[Row] = [
            {"$match": {"row.sla.state": {"$in": list(states)}, "row.last_at": {"$gte": LOWEST}}},
            {"$group": {"_id": {"platform": "$platform", "state": "$row.sla.state"}, "count": {"$sum": 1}}},
        ]
        with self._db.talk() as db:
            rows = await (await db.conversations.aggregate(steps)).to_list()
        counts: dict[str, dict[str, int]] = {}
        for row in sorted(rows, key=_platform):
            name = row["_id"]
            counts.setdefault(name["platform"], dict.fromkeys(states, 0))[name["state"]] = row["count"]
        return counts

    async def sla(self, key: str) -> list[SlaRow]:
        """The clocks of a conversation, by ordinal."""
        with self._db.talk() as db:
            # Their ids are the key, a slash and the ordinal: the next character after a slash is 0.
            rows = await db.clocks.find({"_id": {"$gte": f"{key}/", "$lt": f"{key}0"}}).to_list()
        return sorted((_clock(row) for row in rows), key=_ordinal)

    async def dead_letters(self, limit: int, cursor: str | None = None) -> Page[DeadLetter]:
        """What could not be applied, newest first."""
        after = decode_cursor(cursor, "dead_letters", tuple[int, int, int, int]) if cursor else None
        limit = bounded(limit)
        names = ("at", "partition", "offset", "index")
        where: Row = _behind(names, after) if after else {}
        with self._db.talk() as db:
            rows = await db.dead_letters.find(where, sort=[(name, -1) for name in names], limit=limit + 1).to_list()
        items = [_letter(row) for row in rows[:limit]]
        last = items[-1] if len(rows) > limit else None
        following = encode_cursor("dead_letters", last.at, last.partition, last.offset, last.index) if last else None
        return Page(items=items, next=following)

    async def resolve_dead_letter(self, letter: DeadLetter, at: int) -> None:
        """Mark a dead letter as dealt with."""
        name = f"{letter.partition}/{letter.offset}/{letter.index}"
        with self._db.talk() as db:
            await db.dead_letters.update_one({"_id": name}, {"$set": {"resolved_at": at}})


def _condition(where: AnomalyFilter) -> Row:
    found: Row = {name: value for name in _FILTERS if (value := getattr(where, name)) is not None}
    if where.since is not None or where.until is not None:
        bounds = {"$gte": where.since, "$lt": where.until}
        found["opened_at"] = {name: value for name, value in bounds.items() if value is not None}
    if where.unresolved or where.status in {"open", "acknowledged"}:
        found["unresolved"] = True
    return found


def _behind(names: tuple[str, ...], values: tuple[int, ...]) -> Row:
    """What comes after these values where all of these fields descend."""
    either: list[Row] = []
    for place, name in enumerate(names):
        same: dict[str, Any] = dict(zip(names[:place], values[:place], strict=True))
        either.append({**same, name: {"$lt": values[place]}})
    return {"$or": either}


def _minute(row: Row) -> MinuteRow:
    return MinuteRow(
        channel=row["channel"],
        minute=row["minute"],
        inbound=row["inbound"],
        outbound=row["outbound"],
        duplicates=row["duplicates"],
        delays=row["delays"],
    )


def _account(row: Row) -> LedgerRow:
    return LedgerRow(
        channel=row["_id"],
        accepted=row["accepted"],
        stored=row["stored"],
        duplicates=row["duplicates"],
        rejected=row["rejected"],
    )


def _clock(row: Row) -> SlaRow:
    return SlaRow(
        key=row["key"], ordinal=row["ordinal"], kind=row["kind"], started_at=row["started_at"], due_at=row["due_at"],
        warned_at=row["warned_at"], breached_at=row["breached_at"], answered_at=row["answered_at"],
        stopped=row["stopped"],
    )  # fmt: skip


def _letter(row: Row) -> DeadLetter:
    return DeadLetter(
        partition=row["partition"], offset=row["offset"], index=row["index"], at=row["at"], reason=row["reason"],
        raw=row["raw"], channel=row["channel"], resolved_at=row.get("resolved_at"),
    )  # fmt: skip


def _ordinal(row: SlaRow) -> int:
    return row.ordinal


def _platform(row: Row) -> str:
    return row["_id"]["platform"]
