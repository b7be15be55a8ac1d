"""The inbox's read model: one row a conversation, derived from the effects of a flush."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sqlite3 import Connection

from actors.effects import ConversationChanged, MessageStored, SlaChanged
from storage.drafts import Draft, clock_state, closings, drafts_of, openings
from storage.label_records import ConversationLabelled
from storage.sqlite.bulk import write_rows

_UPSERT = """INSERT INTO conversations (id, platform, account, conversation, closed, contact_id, contact_name,
    order_id, lang, vip, messages, first_at, last_at, last_sent_at, last_seen_at, last_direction, last_text,
    last_message, amount, currency, unread, seen, guessed_lang, sensitive) VALUES {rows}
ON CONFLICT (id) DO UPDATE SET
    closed = coalesce(excluded.closed, closed), contact_id = coalesce(excluded.contact_id, contact_id),
    contact_name = coalesce(excluded.contact_name, contact_name), order_id = coalesce(excluded.order_id, order_id),
    lang = coalesce(excluded.lang, lang), vip = max(vip, excluded.vip), messages = messages + excluded.messages,
    (amount, currency) = (SELECT iif(excluded.amount IS NULL, amount, excluded.amount),
        iif(excluded.amount IS NULL, currency, excluded.currency)),
    unread = iif(excluded.seen, excluded.unread, unread + excluded.unread), seen = excluded.seen,
    snoozed_until = iif(excluded.closed = 0, NULL, snoozed_until), archived = iif(excluded.closed = 0, 0, archived),
    guessed_lang = coalesce(excluded.guessed_lang, guessed_lang), sensitive = max(sensitive, excluded.sensitive),
    first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
    (last_sent_at, last_seen_at, last_direction, last_text, last_message) = (
        SELECT c.* FROM (SELECT last_sent_at, last_seen_at, last_direction, last_text, last_message) c
        WHERE (last_sent_at, last_seen_at) > (excluded.last_sent_at, excluded.last_seen_at)
        UNION ALL SELECT excluded.last_sent_at, excluded.last_seen_at, excluded.last_direction, excluded.last_text,
            excluded.last_message LIMIT 1)"""

_CLOSE = """UPDATE conversations SET closed = ?1, snoozed_until = iif(?1, snoozed_until, NULL),
    archived = iif(?1, archived, 0) WHERE id = ?2"""
_OPENED = """WITH v (number) AS (VALUES {rows})
    UPDATE conversations SET unread = 0 FROM v WHERE conversations.id = v.number AND unread > 0"""


def save_conversations(
    connection: Connection,
    stored: Iterable[MessageStored],
    changes: Iterable[ConversationChanged],
    known: dict[str, tuple[int, int]],
    labelled: Mapping[str, ConversationLabelled],
) -> None:
    """Count and show the new messages, close and reopen as people did; what is open anew is hidden no more."""
    changes = list(changes)
    drafts = drafts_of(stored)
    closed = closings(drafts, changes)
    opened = openings(drafts, changes)
    rows = [_row(known[key][0], draft, closed.get(key), labelled.get(key)) for key, draft in drafts.items()]
    rows.sort(key=_number)
    write_rows(connection, _UPSERT, rows)
    others = [(int(value), known[key][0]) for key, value in closed.items() if key not in drafts]
    connection.executemany(_CLOSE, others)
    write_rows(connection, _OPENED, sorted((known[key][0],) for key in opened))


def _row(
    number: int,
    draft: Draft,
    closed: bool | None,  # noqa: FBT001 # a column
    labelled: ConversationLabelled | None,
) -> tuple[object, ...]:
    event, value = draft.last.event, draft.value
    return (
        number, event.platform, event.account, event.conversation, None if closed is None else int(closed),
        draft.contact_id, draft.contact_name, draft.order, draft.lang, draft.vip, draft.messages, draft.first.at,
        draft.last_at, event.sent_at, draft.last.at, event.direction, draft.last_text, event.message,
        value.amount if value else None, value.currency if value else None, len(draft.unseen), int(draft.seen),
        labelled.lang if labelled else None, int(labelled is not None and labelled.sensitive),
    )  # fmt: skip


def save_clocks(connection: Connection, effects: Iterable[SlaChanged], known: dict[str, tuple[int, int]]) -> None:
    """Keep every clock, and on the conversation the response clock that runs."""
    latest = {(known[effect.key][0], effect.clock.ordinal): effect.clock for effect in effects}
    write_rows(
        connection,
        """INSERT OR REPLACE INTO sla (conversation, ordinal, kind, started_at, due_at, warned_at, breached_at,
            answered_at, stopped) VALUES {rows}""",
        [
            (number, ordinal, c.kind, c.started_at, c.due_at, c.warned_at, c.breached_at, c.answered_at, int(c.stopped))
            for (number, ordinal), c in sorted(latest.items(), key=_first)
        ],
    )
    running: dict[int, tuple[str | None, str | None, int | None, int, int]] = {}
    for (number, ordinal), clock in sorted(latest.items(), key=_first):
        if clock.kind == "resolution":
            continue
        state = clock_state(clock)
        kind, due_at = (clock.kind, clock.due_at) if state else (None, None)
        running[number] = (state, kind, due_at, ordinal, number)
    # A late word about an older clock must not hide the one that runs.
    write_rows(
        connection,
        """WITH v (state, kind, due_at, ordinal, number) AS (VALUES {rows})
        UPDATE conversations SET sla = v.state, sla_kind = v.kind, sla_due_at = v.due_at, sla_ordinal = v.ordinal
        FROM v WHERE conversations.id = v.number AND coalesce(sla_ordinal, 0) <= v.ordinal""",
        list(running.values()),
    )


def _first(pair: tuple[tuple[int, int], object]) -> tuple[int, int]:
    return pair[0]


def _number(row: tuple[object, ...]) -> int:
    return row[0]  # pyright: ignore[reportReturnType] # the first column is the conversation's number
