"""The inbox's read model: one row a conversation, derived from the effects of a flush."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from actors.effects import ConversationChanged, MessageStored, SlaChanged
from storage.sqlite.bulk import write_rows

PREVIEW = 200
"""Characters of the last text that a list shows."""

_UPSERT = """INSERT INTO conversations (id, platform, account, conversation, closed, contact_id, contact_name,
    order_id, lang, vip, messages, first_at, last_at, last_sent_at, last_seen_at, last_direction, last_text,
    last_message) VALUES {rows}
ON CONFLICT (id) DO UPDATE SET
    closed = coalesce(excluded.closed, closed), contact_id = coalesce(excluded.contact_id, contact_id),
    contact_name = coalesce(excluded.contact_name, contact_name), order_id = coalesce(excluded.order_id, order_id),
    lang = coalesce(excluded.lang, lang), vip = max(vip, excluded.vip), messages = messages + excluded.messages,
    first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
    (last_sent_at, last_seen_at, last_direction, last_text, last_message) = (
        SELECT c.* FROM (SELECT last_sent_at, last_seen_at, last_direction, last_text, last_message) c
        WHERE (last_sent_at, last_seen_at) > (excluded.last_sent_at, excluded.last_seen_at)
        UNION ALL SELECT excluded.last_sent_at, excluded.last_seen_at, excluded.last_direction, excluded.last_text,
            excluded.last_message LIMIT 1)"""


class _Draft:
    """What a flush adds to one conversation."""

    __slots__ = (
        "contact_id", "contact_name", "first", "inbound_at", "lang", "last", "last_at", "messages", "order", "vip",
    )  # fmt: skip

    def __init__(self, first: MessageStored) -> None:
        self.first = first
        self.last = first
        self.last_at = first.at
        self.inbound_at = -1
        self.messages = 0
        self.vip = 0
        self.contact_id: str | None = None
        self.contact_name: str | None = None
        self.order: str | None = None
        self.lang: str | None = None

    def add(self, stored: MessageStored) -> None:
        event = stored.event
        self.messages += 1
        self.last_at = max(self.last_at, stored.at)
        if (event.sent_at, stored.at) >= (self.last.event.sent_at, self.last.at):
            self.last = stored
        if event.vip:
            self.vip = 1
        if event.order:
            self.order = event.order
        if event.direction != "in":
            return
        if not event.history:
            self.inbound_at = stored.at
        self.lang = event.lang or self.lang
        sender = event.sender
        if sender is not None and sender.role in {None, "customer"}:
            self.contact_id = sender.id or self.contact_id
            self.contact_name = sender.name or self.contact_name

    def row(self, number: int, closed: int | None) -> tuple[object, ...]:
        event = self.last.event
        text = event.text[:PREVIEW] if event.text else None
        return (
            number, event.platform, event.account, event.conversation, closed, self.contact_id, self.contact_name,
            self.order, self.lang, self.vip, self.messages, self.first.at, self.last_at, event.sent_at, self.last.at,
            event.direction, text, event.message,
        )  # fmt: skip


def save_conversations(
    connection: Connection,
    stored: Iterable[MessageStored],
    changes: Iterable[ConversationChanged],
    known: dict[str, tuple[int, int]],
) -> None:
    """Count and show the new messages; merged ones never count."""
    drafts: dict[str, _Draft] = {}
    for effect in stored:
        if effect.merged_into is None:
            draft = drafts.get(effect.key)
            if draft is None:
                draft = drafts[effect.key] = _Draft(effect)
            draft.add(effect)
    # A customer's message after the closing opens the conversation again.
    closed_at = {change.key: change.at for change in changes if change.what == "closed"}
    rows: list[tuple[object, ...]] = []
    for key, draft in drafts.items():
        closed = 0 if draft.inbound_at > closed_at.get(key, -1) else None
        rows.append(draft.row(known[key][0], closed))
    rows.sort(key=_number)
    write_rows(connection, _UPSERT, rows)


def save_changes(
    connection: Connection,
    changes: Iterable[ConversationChanged],
    known: dict[str, tuple[int, int]],
    stored: Iterable[MessageStored],
) -> None:
    """Close and reopen as people did; a customer's message that came later in the same flush has the last word."""
    last = {change.key: change for change in changes if change.what in {"closed", "reopened"}}
    if not last:
        return
    inbound = {
        s.key: s.at for s in stored if s.event.direction == "in" and s.merged_into is None and not s.event.history
    }
    rows = [
        (int(change.what == "closed" and inbound.get(key, -1) <= change.at), known[key][0])
        for key, change in last.items()
    ]
    connection.executemany("UPDATE conversations SET closed = ? WHERE id = ?", rows)


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
        if clock.answered_at is None and not clock.stopped:
            state = "breached" if clock.breached_at is not None else "at_risk" if clock.warned_at is not None else "ok"
            running[number] = (state, clock.kind, clock.due_at, ordinal, number)
        else:
            running[number] = (None, None, None, ordinal, number)
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
