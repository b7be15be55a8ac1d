"""Conversations as lists show them: the columns, the row, and what is gathered for a page of them in one query."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from actors.events import Value
from storage.label_records import in_effect
from storage.records import ConversationRow
from storage.sqlite.bulk import read_chunks

COLUMNS = (
    "k.key, c.platform, c.account, c.conversation, c.closed, c.contact_id, c.contact_name, c.order_id, c.lang, c.vip,"
    " c.messages, c.first_at, c.last_at, c.last_sent_at, c.last_direction, c.last_text, c.assignee, c.sla, c.sla_kind,"
    " c.sla_due_at, c.team, c.assigned_at, c.automatic, c.snoozed_until, c.archived, c.desk_version, c.unread,"
    " c.amount, c.currency, c.guessed_lang, c.sensitive, c.id"
)
"""Of `conversations c` and `conversation_keys k`; the last is the conversation's number."""
RECENT_MS = 7 * 86_400_000
# Of a trouble that is over only these still tell something about the messages one looks at.
_TROUBLES = """WITH w (platform, account, conversation, number, since) AS (VALUES {rows})
    SELECT json_group_array(json_array(number, kind)) FROM (SELECT DISTINCT w.number, a.kind FROM w
        CROSS JOIN anomalies a ON a.conversation = w.conversation AND a.platform = w.platform AND a.account = w.account
        WHERE a.status <> 'resolved' OR (a.kind IN ('delay', 'duplicate') AND a.opened_at >= w.since)
        ORDER BY a.kind)"""

_LABELS = """WITH w (number) AS (VALUES {rows})
    SELECT json_group_array(json_array(w.number, l.label, l.automatic, l.manual, l.removed_at IS NOT NULL))
    FROM w CROSS JOIN conversation_labels l ON l.conversation = w.number"""


def conversation_rows(connection: Connection, rows: list[list[Any]]) -> list[ConversationRow]:
    """Rows of `COLUMNS`, whole."""
    asked = [(row[1], row[2], row[3], row[-1], row[12] - RECENT_MS) for row in rows]
    troubles: dict[int, list[str]] = {}
    for number, kind in read_chunks(connection, _TROUBLES, asked):
        troubles.setdefault(number, []).append(kind)
    labels = _labels(connection, [(row[-1],) for row in rows])
    return [_row(row, troubles.get(row[-1], []), labels.get(row[-1], [])) for row in rows]


def _labels(connection: Connection, numbers: list[tuple[int]]) -> dict[int, list[str]]:
    given: dict[int, tuple[set[str], set[str], set[str]]] = {}
    for number, label, automatic, manual, removed in read_chunks(connection, _LABELS, numbers):
        found = given.setdefault(number, (set(), set(), set()))
        for place, holds in enumerate((automatic, manual, removed)):
            if holds:
                found[place].add(label)
    return {number: in_effect(*found) for number, found in given.items()}


def _row(row: list[Any], troubles: list[str], labels: list[str]) -> ConversationRow:
    return ConversationRow(
        key=row[0], platform=row[1], account=row[2], conversation=row[3], status="closed" if row[4] else "open",
        contact_id=row[5], contact_name=row[6], order=row[7], lang=row[8], vip=bool(row[9]), messages=row[10],
        first_at=row[11], last_at=row[12], last_sent_at=row[13], last_direction=row[14], last_text=row[15],
        assignee=row[16], sla=row[17], sla_kind=row[18], sla_due_at=row[19], team=row[20], assigned_at=row[21],
        automatic=bool(row[22]), snoozed_until=row[23], archived=bool(row[24]), desk_version=row[25], unread=row[26],
        value=None if row[27] is None else Value(amount=row[27], currency=row[28]), troubles=troubles,
        labels=labels, guessed_lang=row[29], sensitive=bool(row[30]),
    )  # fmt: skip
