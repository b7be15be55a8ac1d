"""The inbox's list and the desk of each conversation."""

# ruff: noqa: S608 - what is put together are constants of this folder; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import UNSET, json

from storage.cursors import bounded
from storage.inbox_records import DeskChange, DeskGroup, InboxFilter, order_of
from storage.records import AuditRow, ConversationRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.conversation_rows import COLUMNS, RECENT_MS, conversation_rows
from storage.sqlite.conversation_search import HITS
from storage.sqlite.save_audit import append_audit
from storage.sqlite.scope import NEVER, Condition, add_labels, add_ours, add_scope
from storage.sqlite.search import match_expression
from storage.texts import order_key

_ORDERS = {
    "due": "c.place, c.id",
    "newest": "c.last_at DESC, c.id DESC",
    "oldest": "c.last_at, c.id",
    "value": "c.amount DESC, c.last_at DESC, c.id DESC",
}
_FOUND = f"c.id IN ({HITS})"
_OF_ORDER = "c.id IN (SELECT conversation FROM orders WHERE order_id = ?)"
_TROUBLED = f"""EXISTS (SELECT 1 FROM anomalies a WHERE a.conversation = c.conversation AND a.platform = c.platform
    AND a.account = c.account AND a.kind = ? AND (a.status <> 'resolved'
    OR (a.kind IN ('delay', 'duplicate') AND a.opened_at >= c.last_at - {RECENT_MS})))"""
# A response clock runs, or the customer's message is the last: `place` says both without a look at the row.
WAITING = "(c.sla IS NOT NULL OR c.place < 20000000000000000)"
_GROUP = "platform, account, team, assignee"


class SqliteDesk:
    """`storage.inbox_ports.DeskStore`, but for the teams."""

    _db: Database

    async def inbox(
        self, where: InboxFilter, offset: int, limit: int, *, counted: bool = True
    ) -> tuple[list[ConversationRow], int]:
        """A window of the list, and how many conversations the whole list has."""
        read = self._db.read if where.q is None else self._db.search
        return await read(_inbox, where, max(0, offset), bounded(limit), counted=counted)

    async def inbox_groups(self, now: int) -> list[DeskGroup]:
        """All open conversations that are not archived, counted by what decides who sees them and where."""
        return await self._db.read(_groups, now)

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations, in the order of the keys."""
        return await self._db.read(_rows, keys)

    async def change_desk(self, key: str, change: DeskChange, audit: AuditRow) -> ConversationRow | None:
        """Change a conversation's desk; None when somebody was faster."""
        return (await self.change_desks([(key, change, audit)]))[0]

    async def change_desks(self, changes: Sequence[tuple[str, DeskChange, AuditRow]]) -> list[ConversationRow | None]:
        """Many at once, each by itself."""
        return await self._db.write(_change, changes)

    async def snoozed_until(self, since: int, until: int, limit: int) -> list[tuple[int, str]]:
        """(when, key) of the conversations whose snooze ends in (since, until]."""
        return await self._db.read(_snoozed, since, until, limit)


def _inbox(
    connection: Connection, where: InboxFilter, offset: int, limit: int, *, counted: bool
) -> tuple[list[ConversationRow], int]:
    condition = _condition(where)
    if condition is None:
        return [], 0
    order = _ORDERS[order_of(where)]
    index = _index_of(where)
    # The window is chosen within the index, so that only its own rows are read.
    window = f"SELECT c.id FROM conversations c {index} WHERE {condition.text} ORDER BY {order} LIMIT ? OFFSET ?"
    source = f"""FROM ({window}) p CROSS JOIN conversations c ON c.id = p.id
        CROSS JOIN conversation_keys k ON k.id = c.id ORDER BY {order}"""
    rows = read_rows(connection, COLUMNS, source, [*condition.values, limit, offset])
    if not counted or (not offset and len(rows) < limit):
        return conversation_rows(connection, rows), len(rows) if counted else 0
    count = f"SELECT count(*) FROM conversations c {index} WHERE {condition.text}"
    total: int = connection.execute(count, condition.values).fetchone()[0]
    return conversation_rows(connection, rows), total


def _index_of(where: InboxFilter) -> str:
    """The index whose order the list has; nothing where a filter leaves little, which is found and sorted."""
    if any((where.contact, where.order, where.q, where.sensitive)) or where.tab == "snoozed":
        return ""
    if where.tab in {"closed", "archived"}:
        return f"INDEXED BY inbox_{where.tab}"
    return "INDEXED BY inbox" if where.sort == "due" else ""


def _condition(where: InboxFilter) -> Condition | None:
    """None when nothing can fit."""
    found = Condition()
    _add_tab(found, where)
    for name in ("platform", "account", "assignee", "team", "sla"):
        value = getattr(where, name)
        if value is not None:
            found.add(f"c.{name} = ?", value)
    _add_flags(found, where)
    if where.holder is not None:
        add_scope(found, where.holder)
    if where.contact is not None:
        found.add("c.contact_id = ?", where.contact)
    if where.order is not None:
        found.add(_OF_ORDER, order_key(where.order))
    if where.anomaly is not None:
        found.add(_TROUBLED, where.anomaly)
    if where.lang is not None:
        found.add("coalesce(c.lang, c.guessed_lang) = ?", where.lang)
    if where.label is not None:
        add_labels(found, where.label)
    if where.q is not None:
        expression = match_expression(where.q)
        if expression is None:
            return None
        found.add(_FOUND, expression)
    add_scope(found, where.scope)
    return None if NEVER in found.parts else found


def _add_flags(found: Condition, where: InboxFilter) -> None:
    if where.vip is not None:
        found.add("c.vip = ?", int(where.vip))
    if where.sensitive is not None:
        found.add(f"c.sensitive = {int(where.sensitive)}")
    if where.waiting is not None:
        found.add(WAITING if where.waiting else f"NOT {WAITING}")


def _add_tab(found: Condition, where: InboxFilter) -> None:
    found.add("c.closed = 1" if where.tab == "closed" else "c.closed IS NOT 1" if where.tab != "archived" else "1")
    found.add(f"c.archived = {int(where.tab == 'archived')}")
    if where.tab == "snoozed":
        found.add("c.snoozed_until > ?", where.now)
    elif where.tab not in {"closed", "archived"}:
        found.add("(c.snoozed_until IS NULL OR c.snoozed_until <= ?)", where.now)
    match where.tab:
        case "mine":
            found.add("c.assignee = ?", where.me)
        case "unassigned":
            found.add("c.assignee IS NULL")
        case "at_risk":
            found.add("c.sla IN ('at_risk', 'breached')")
        case "team":
            ours = Condition()
            add_ours(ours, where.scope)
            found.add(ours.text if ours.parts else NEVER, *ours.values)
        case _:
            pass


def _groups(connection: Connection, now: int) -> list[DeskGroup]:
    sums = (
        "sum(NOT coalesce(c.snoozed_until > ?1,0)) AS awake",
        "sum(coalesce(c.snoozed_until > ?1,0)) AS snoozed",
        "sum(coalesce(c.sla IN ('at_risk','breached'),0) AND NOT coalesce(c.snoozed_until > ?1,0)) AS at_risk",
        "sum(c.sensitive AND NOT coalesce(c.snoozed_until > ?1,0)) AS sensitive",
    )
    source = (
        f"FROM conversations c INDEXED BY inbox_groups WHERE c.closed IS NOT 1 AND c.archived = 0 GROUP BY {_GROUP}"
    )
    return [
        DeskGroup(
            platform=platform, account=account, team=team, assignee=assignee, awake=awake, snoozed=snoozed,
            at_risk=at_risk, sensitive=sensitive,
        )
        for platform, account, team, assignee, awake, snoozed, at_risk, sensitive in read_rows(
            connection, f"{_GROUP}, {', '.join(sums)}", source, (now,)
        )
    ]  # fmt: skip


def _rows(connection: Connection, keys: Sequence[str]) -> list[ConversationRow]:
    source = """FROM json_each(?) j CROSS JOIN conversation_keys k ON k.key = j.value
        CROSS JOIN conversations c ON c.id = k.id ORDER BY j.id"""
    return conversation_rows(connection, read_rows(connection, COLUMNS, source, (json.encode(list(keys)).decode(),)))


def _change(
    connection: Connection, changes: Sequence[tuple[str, DeskChange, AuditRow]]
) -> list[ConversationRow | None]:
    done: list[str] = []
    found: list[int | None] = []
    for key, change, audit in changes:
        condition = "desk_version = ? AND id = (SELECT id FROM conversation_keys WHERE key = ?)"
        assigned = _assigned(change)
        sql = f"UPDATE conversations SET {', '.join(f'{name} = ?' for name in assigned)} WHERE {condition}"
        changed = connection.execute(sql, [*assigned.values(), change.replaces, key]).rowcount
        found.append(len(done) if changed else None)
        if changed:
            append_audit(connection, audit)
            done.append(key)
    rows = {row.key: row for row in _rows(connection, done)}
    return [None if place is None else rows[done[place]] for place in found]


def _assigned(change: DeskChange) -> dict[str, Any]:
    assigned: dict[str, Any] = {"desk_version": change.replaces + 1}
    if change.assignee is not UNSET:
        assigned |= {
            "assignee": change.assignee,
            "assigned_at": None if change.assignee is None else change.at,
            "automatic": int(change.automatic and change.assignee is not None),
        }
    if change.team is not UNSET:
        assigned["team"] = change.team
    if change.snoozed_until is not UNSET:
        assigned["snoozed_until"] = change.snoozed_until
    if change.archived is not UNSET:
        assigned["archived"] = int(change.archived)
    return assigned


def _snoozed(connection: Connection, since: int, until: int, limit: int) -> list[tuple[int, str]]:
    source = """FROM conversations c CROSS JOIN conversation_keys k ON k.id = c.id
        WHERE c.snoozed_until > ? AND c.snoozed_until <= ? ORDER BY c.snoozed_until, c.id LIMIT ?"""
    return [(at, key) for at, key in read_rows(connection, "c.snoozed_until, k.key", source, (since, until, limit))]
