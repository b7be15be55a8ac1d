"""Replies on their way out, and receipts that overtook what they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any, get_args

from msgspec import json

from storage.channel_records import ParkedReceipt, ReplyFilter, ReplyRow, ReplyState
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.records import Page
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database

_reply = json.Decoder(ReplyRow)
_receipt = json.Decoder(ParkedReceipt)
_STATES: tuple[ReplyState, ...] = get_args(ReplyState)

_ADD = """INSERT INTO replies (id, key, platform, account, state, at, due_at, hangs_since, ended_at, platform_message,
    version, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"""
_CHANGE = """UPDATE replies SET key = ?, platform = ?, account = ?, state = ?, at = ?, due_at = ?, hangs_since = ?,
    ended_at = ?, platform_message = ?, version = ?, body = ? WHERE id = ? AND version = ?"""
_DUE = """FROM replies AS r INDEXED BY replies_due WHERE state = 'queued' AND due_at <= ? AND NOT EXISTS (
    SELECT 1 FROM replies AS earlier INDEXED BY replies_waiting
    WHERE earlier.key = r.key AND earlier.state IN ('new', 'queued', 'claimed') AND earlier.at <= r.at
    AND (earlier.at < r.at OR earlier.id < r.id)) ORDER BY due_at, at, id LIMIT ?"""
_STALE = "FROM replies WHERE hangs_since < ? ORDER BY hangs_since, id LIMIT ?"
_UNSETTLED = """FROM replies INDEXED BY replies_by_conversation WHERE key = ? AND state IN ('claimed', 'unknown')
    ORDER BY at, id"""
_OURS = """FROM replies INDEXED BY replies_by_platform_message WHERE platform = ? AND account = ?
    AND platform_message IN (SELECT value FROM json_each(?)) ORDER BY at DESC, id DESC"""
_PARK = """INSERT INTO parked (platform, account, id, message, at, body) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
_PARKED = """FROM parked INDEXED BY parked_by_message WHERE platform = ? AND account = ?
    AND message IN (SELECT value FROM json_each(?)) ORDER BY at, id"""
_PARKED_BEFORE = "FROM parked WHERE at < ? ORDER BY at, platform, account, id LIMIT ?"


class SqliteOutbox:
    """`storage.channel_ports.OutboxStore`."""

    _db: Database

    async def add_reply(self, row: ReplyRow) -> ReplyRow:
        """Keep a reply; when one with its `id` is held already, nothing changes and that one is given."""
        return await self._db.write(_add, row)

    async def reply(self, reply_id: str) -> ReplyRow | None:
        """One reply."""
        found = await self._db.read(_replies, "FROM replies WHERE id = ?", reply_id)
        return found[0] if found else None

    async def replies(self, where: ReplyFilter, limit: int, cursor: str | None = None) -> Page[ReplyRow]:
        """Replies by `at` descending, then id."""
        after = decode_cursor(cursor, "replies", tuple[int, str]) if cursor else None
        limit = bounded(limit)
        rows = await self._db.read(_page, where, limit + 1, after)
        items = rows[:limit]
        return Page(
            items=items, next=encode_cursor("replies", items[-1].at, items[-1].id) if len(rows) > limit else None
        )

    async def change_reply(self, row: ReplyRow, *, replaces: int) -> bool:
        """Replace the reply of that id whose `version` is `replaces`; False, and nothing changes, when it is not."""
        return await self._db.write(_change, row, replaces)

    async def due_replies(self, now: int, limit: int) -> list[ReplyRow]:
        """The replies to send next: of each conversation the first that is not settled, if it is queued and due."""
        return await self._db.read(_replies, _DUE, now, bounded(limit))

    async def stale_replies(self, before: int, limit: int) -> list[ReplyRow]:
        """Replies that hang: `new` with at < before, or `claimed` with claimed_at < before; oldest first."""
        return await self._db.read(_replies, _STALE, before, bounded(limit))

    async def unsettled_replies(self, key: str) -> list[ReplyRow]:
        """The `claimed` and `unknown` replies of a conversation, by `at`, then id."""
        return await self._db.read(_replies, _UNSETTLED, key)

    async def reply_ids(self, platform: str, account: str, messages: Sequence[str]) -> dict[str, str]:
        """For those platform's message ids that are our replies: platform's id → the reply's id."""
        if not messages:
            return {}
        return await self._db.read(_ours, platform, account, _listed(messages))

    async def park_receipt(self, receipt: ParkedReceipt) -> None:
        """Keep a receipt for later; one that is kept already changes nothing."""
        await self._db.write(_park, receipt)

    async def take_parked(self, platform: str, account: str, messages: Sequence[str]) -> list[ParkedReceipt]:
        """Give the receipts kept for these platform's message ids, by `at`; they stay until `drop_parked`."""
        if not messages:
            return []
        return await self._db.read(_receipts, _PARKED, platform, account, _listed(messages))

    async def parked_before(self, before: int, limit: int) -> list[ParkedReceipt]:
        """Receipts kept since before `before`, oldest first."""
        return await self._db.read(_receipts, _PARKED_BEFORE, before, bounded(limit))

    async def drop_parked(self, receipts: Sequence[ParkedReceipt]) -> None:
        """Forget these."""
        if receipts:
            await self._db.write(_drop, receipts)


def _listed(texts: Sequence[str]) -> str:
    return json.encode(list(texts)).decode()


def _values(row: ReplyRow) -> tuple[Any, ...]:
    """Every column but the id, in the order of the table."""
    return (
        row.key,
        row.platform,
        row.account,
        row.state,
        row.at,
        row.due_at,
        row.hangs_since,
        row.ended_at,
        row.platform_message,
        row.version,
        json.encode(row).decode(),
    )


def _add(connection: Connection, row: ReplyRow) -> ReplyRow:
    if connection.execute(_ADD, (row.id, *_values(row))).rowcount:
        return row
    return _replies(connection, "FROM replies WHERE id = ?", row.id)[0]


def _change(connection: Connection, row: ReplyRow, replaces: int) -> bool:
    return bool(connection.execute(_CHANGE, (*_values(row), row.id, replaces)).rowcount)


def _replies(connection: Connection, which: str, *values: Any) -> list[ReplyRow]:
    return [_reply.decode(body) for (body,) in read_rows(connection, "body", which, values)]


def _page(connection: Connection, where: ReplyFilter, limit: int, after: tuple[int, str] | None) -> list[ReplyRow]:
    """One walk along an index for each state, merged by SQLite in their order."""
    states = dict.fromkeys(where.states if where.states is not None else _STATES)
    wanted = {name: value for name in ("platform", "account", "key") if (value := getattr(where, name)) is not None}
    # The planner has no statistics: it would take an index of one state for as good as one of a conversation.
    index = "replies_by_state"
    if where.platform is not None and where.account is not None:
        index = "replies_by_channel"
    if where.key is not None:
        index = "replies_by_conversation"
    conditions = ["state = ?", *(f"{name} = ?" for name in wanted)]
    values: list[Any] = [*wanted.values()]
    if after:
        conditions.append("at <= ? AND (at < ? OR id > ?)")
        values += [after[0], *after]
    one = f"SELECT at, id, body FROM replies INDEXED BY {index} WHERE {' AND '.join(conditions)}"  # noqa: S608 # names of ours; values are bound
    if not states:
        return []
    walks = " UNION ALL ".join([one] * len(states))
    bound = [value for state in states for value in (state, *values)]
    return _replies(connection, f"FROM ({walks} ORDER BY at DESC, id LIMIT ?)", *bound, limit)


def _ours(connection: Connection, platform: str, account: str, messages: str) -> dict[str, str]:
    rows = read_rows(connection, "platform_message, id", _OURS, (platform, account, messages))
    return dict(rows)


def _park(connection: Connection, receipt: ParkedReceipt) -> None:
    place = (receipt.platform, receipt.account, receipt.id)
    connection.execute(_PARK, (*place, receipt.message, receipt.at, json.encode(receipt).decode()))


def _receipts(connection: Connection, which: str, *values: Any) -> list[ParkedReceipt]:
    return [_receipt.decode(body) for (body,) in read_rows(connection, "body", which, values)]


def _drop(connection: Connection, receipts: Sequence[ParkedReceipt]) -> None:
    connection.executemany(
        "DELETE FROM parked WHERE platform = ? AND account = ? AND id = ?",
        [(one.platform, one.account, one.id) for one in receipts],
    )
