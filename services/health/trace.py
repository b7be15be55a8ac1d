"""A message's life, hop by hop: sent, received, logged, processed, stored, notified, seen, answered, delivered.

Times come from the store; when it was logged, and the fields as they were accepted, come from the log itself, as long
as it still has them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, Protocol

from msgspec import Struct, to_builtins

from actors.anomaly import record
from actors.events import Message
from actors.keys import channel_key, split_key
from actors.times import rfc3339
from services.errors import NotFoundError
from services.files.serving import shown
from services.health.logged import entries_of
from services.replies.proofs import fate_of
from storage.ports import HealthStore, InboxStore
from storage.records import AnomalyFilter, MessageRow
from streams.frames import FrameDamagedError
from streams.ports import LogReader, LogRecord

INBOUND = ("notified", "seen", "answered")
OUTBOUND = ("accepted", "delivered", "read")
ALSO = ("failed", "translated", "translation_failed")
"""Hops that are shown only when they were reached."""
FIELDS = ("sender_id", "sender_name", "sender_role", "text", "lang", "seq", "reply_to", "order", "via", "vip", "extra")
NEAR_MS = 5_000
"""What carried no time of its own was logged within a moment of its observed time."""
FAR_MS = 60_000
"""What carried its own observed time was logged shortly before it was stored."""
SEARCH_S = 1.0
ANOMALIES_MOST = 50


class TraceStore(HealthStore, InboxStore, Protocol):
    """The parts of a store used here."""


class Logged(Struct, frozen=True, kw_only=True):
    """Where an event lies in the log, and when it was accepted (`wall`, ms)."""

    partition: int
    offset: int
    index: int
    wall: int
    event: Message


class Hop(Struct, frozen=True, kw_only=True):
    """One hop; `at` in ms, None when not reached yet; `exact` is False where it is the latest possible time."""

    hop: str
    at: int | None
    exact: bool = True


class Trace:
    """Tells the life of one message."""

    def __init__(self, store: TraceStore, reader: LogReader) -> None:
        self._store = store
        self._reader = reader

    async def trace(self, key: str, message: str) -> dict[str, Any]:
        """The life of a message of the conversation with this key; raises NotFoundError."""
        row = await self._store.message(key, message)
        if row is None:
            raise NotFoundError(f"there is no message {message[:64]!r} in the conversation {key[:200]}")
        platform, account, conversation = split_key(key)
        where = AnomalyFilter(platform=platform, account=account, conversation=conversation, message=message)
        anomalies = await self._store.anomalies(where, ANOMALIES_MOST)
        channel = next((c for c in await self._store.channels() if c.key == channel_key(platform, account)), None)
        logged = await find_logged(self._reader, row)
        deliveries, complete = await find_deliveries(self._reader, row, logged)
        return {
            "key": key,
            "platform": platform,
            "account": account,
            "conversation": conversation,
            "message": message,
            "direction": row.direction,
            "hops": timed(life(row, logged)),
            "delay_ms": row.delay,
            "offset_ms": 0 if channel is None else channel.offset_ms,
            "fields": fields(row),
            "raw": None if logged is None else to_builtins(logged.event),
            "log": None
            if logged is None
            else {"partition": logged.partition, "offset": logged.offset, "index": logged.index},
            **({} if row.direction == "in" else dict(zip(("fate", "conflict"), fate_of(row.hops), strict=True))),
            "copies": row.copies,
            "deliveries": [delivery(one) for one in deliveries],
            "deliveries_complete": complete,
            "merged_into": row.merged_into,
            "versions": row.versions,
            "attachments": [shown(row.key, row.message, one) for one in row.attachments],
            "anomalies": [record(a) for a in anomalies.items],
        }


def life(row: MessageRow, logged: Logged | None) -> list[Hop]:
    """Every hop in the order in which a message takes them; those not reached have no time."""
    hops = [
        Hop(hop="sent", at=row.sent_at),
        Hop(hop="received", at=row.at),
        Hop(hop="logged", at=None if logged is None else logged.wall),
        Hop(hop="processed", at=row.stored_at, exact=False),
        Hop(hop="stored", at=row.stored_at),
    ]
    hops += [Hop(hop=name, at=row.hops.get(name)) for name in (INBOUND if row.direction == "in" else OUTBOUND)]
    return hops + [Hop(hop=name, at=row.hops[name]) for name in ALSO if name in row.hops]


def timed(hops: list[Hop]) -> list[dict[str, Any]]:
    """The hops with the time since the one reached before (ms); negative where clocks disagree."""
    result: list[dict[str, Any]] = []
    before: int | None = None
    for hop in hops:
        result.append(
            {
                "hop": hop.hop,
                "at": None if hop.at is None else rfc3339(hop.at),
                "at_ms": hop.at,
                "after_ms": None if hop.at is None or before is None else hop.at - before,
                "exact": hop.exact,
            }
        )
        before = before if hop.at is None else hop.at
    return result


def fields(row: MessageRow) -> dict[str, Any]:
    """The message as Weir holds it, with what the platform sent beyond the known fields under `extra`."""
    return {name: getattr(row, name) for name in FIELDS}


def delivery(logged: Logged) -> dict[str, Any]:
    """One delivery of a message: where it lies in the log, when it was accepted, and by which way and name it came."""
    event = logged.event
    return {
        "at": rfc3339(logged.wall),
        "partition": logged.partition,
        "offset": logged.offset,
        "index": logged.index,
        "via": event.via,
        "sender_id": (event.extra or {}).get("alias", event.sender.id if event.sender else None),
    }


async def find_deliveries(
    reader: LogReader, row: MessageRow, first: Logged | None, search_s: float = SEARCH_S
) -> tuple[list[Logged], bool]:
    """Every delivery of a message that the log still has, from the first on; whether these are all of them.

    The log is read for `search_s` seconds at most: a copy that came much later may not be among them.
    """
    if first is None or not row.copies:
        return ([], False) if first is None else ([first], True)
    found, ends = [first], monotonic() + search_s
    wanted = _names(row)
    async for item in reader.records(first.partition, first.offset):
        if len(found) > row.copies or monotonic() > ends:
            break
        found += [one for one in _matching(item, wanted) if (one.offset, one.index) > (first.offset, first.index)]
    return found, len(found) > row.copies


async def find_logged(reader: LogReader, row: MessageRow, search_s: float = SEARCH_S) -> Logged | None:
    """The first delivery of a message in the log; None when it is not found within `search_s` seconds."""
    if row.partition is None or row.stored_at is None:
        return None
    wanted = _names(row)
    ends = monotonic() + search_s
    for since, until in ((row.at - NEAR_MS, row.at + NEAR_MS), (row.stored_at - FAR_MS, row.stored_at + NEAR_MS)):
        found = await _search(reader.records(row.partition, 0, since, until), wanted, row.sent_at, ends)
        if found is not None:
            return found
    return None


async def _search(
    records: AsyncIterator[LogRecord], wanted: tuple[str, str, str, str], sent_at: int, ends: float
) -> Logged | None:
    async for item in records:
        if monotonic() > ends:
            return None
        found = next((one for one in _matching(item, wanted) if one.event.sent_at == sent_at), None)
        if found is not None:
            return found
    return None


def _names(row: MessageRow) -> tuple[str, str, str, str]:
    platform, account, conversation = split_key(row.key)
    return platform, account, conversation, row.message


def _matching(item: LogRecord, wanted: tuple[str, str, str, str]) -> list[Logged]:
    """The deliveries of a message in one record."""
    try:
        entries = entries_of(item)
    except FrameDamagedError:
        return []  # a damaged frame is a dead letter of its own; the message may be in another
    return [
        Logged(partition=item.partition, offset=item.offset, index=index, wall=item.wall, event=entry)
        for index, entry in enumerate(entries)
        if isinstance(entry, Message) and (entry.platform, entry.account, entry.conversation, entry.message) == wanted
    ]
