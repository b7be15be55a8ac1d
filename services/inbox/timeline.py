"""The thread of a conversation: what was said, noted and done, merged in the order of time, page by page.

Pages go back from the newest. What is new since a page was read is asked for by its `newer` cursor: by when it came,
not by when it was said, so that what comes late is told too. Telling something twice is harmless: items have ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from actors.anomaly import Anomaly
from actors.keys import split_key
from services.errors import NotFoundError
from services.inbox.notes import ADDED
from services.inbox.timeline_items import (
    Item,
    MessageItem,
    lateness,
    order_of,
    outgo,
    pending_row,
)
from services.replies.composing import OWN
from storage.channel_ports import OutboxStore
from storage.channel_records import ReplyFilter, ReplyRow
from storage.cursors import decode_cursor, encode_cursor
from storage.ports import AccountStore, HealthStore, InboxStore
from storage.records import AnomalyFilter, AuditRow, MessageRow
from storage.writing_ports import NoteStore
from storage.writing_records import Note

QUIET = ("conversation.opened", "conversation.read", ADDED)
"""What is done to a conversation and is no line of its thread."""
MOST_NEW = 200
LATEST = 60
"""Of so many of the last messages it is told in any case when something became known of them."""
MOST_LOADED = 2_000
"""Of so many at most that were read back."""
MOST_REPLIES, MOST_LOADED_REPLIES = 50, 500
MOST_ANOMALIES = 500
SKEW_MS = 5_000
"""How far the clocks of two processes may be apart."""
ASKED_MS = 10 * 60_000
"""For how long a reply may be kept and not be in the store as a message."""
_LAST = 1 << 62


class TimelineStore(InboxStore, OutboxStore, NoteStore, AccountStore, HealthStore, Protocol):
    """The parts of a store used here."""


class Place(Struct, frozen=True):
    """Up to where a thread was read, back from now: message by (sent_at, at, id), note by (at, id), event by id."""

    message: tuple[int, int, str] = (_LAST, _LAST, "")
    note: tuple[int, str] = (_LAST, "")
    event: int = _LAST


class Mark(Struct, frozen=True):
    """What of a thread is known: observed time, time of notes and replies, number of the last event."""

    observed: int = 0
    wall: int = 0
    event: int = 0


class Thread(Struct, frozen=True, kw_only=True):
    """Items in order, oldest first. `older`: cursor of the page before, if there is one; `newer`: of what comes.

    `reach`: down to where the thread is read with this page; None for news, which read it no farther.
    `complete` is False when more is new than was told: read the newest page again.
    """

    items: Sequence[Item]
    newer: str
    older: str | None = None
    reach: str | None = None
    complete: bool = True


class Timeline:
    """Reads threads; `now` in ms."""

    def __init__(self, store: TimelineStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def page(self, key: str, limit: int, before: str | None = None) -> Thread:
        """The newest page, or the one before a cursor. Raises NotFoundError, RejectedError for a bad cursor."""
        at = Place() if before is None else _place(before)
        conversation = await self._store.conversation(key)
        if conversation is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        now = self._now()
        last_event = await self._store.audit_trail(key, 1)
        messages, notes, events = await asyncio.gather(
            self._store.latest_messages(key, limit, at.message),
            self._store.notes(key, limit, before=at.note),
            self._store.audit_trail(key, limit, before=at.event, but=QUIET),
        )
        chosen, following = _merged(messages, notes, events, limit, at)
        more = len(messages) + len(notes) + len(events) > len(chosen) or limit in map(len, (messages, notes, events))
        rows = [one for one in chosen if isinstance(one, MessageRow)]
        others = [one for one in chosen if not isinstance(one, MessageRow)]
        lately = await self._lately(key) if before is None else ()
        items = [*await self._judged(key, rows, lately, await self._troubles(key)), *others]
        seen = max([conversation.last_at, *map(_observed, rows)])
        mark = Mark(seen, now, last_event[0].id if last_event else 0)
        return Thread(
            items=sorted(items, key=order_of),
            newer=_written(mark),
            older=_encoded(following) if more and chosen else None,
            reach=_encoded(following),
        )

    async def news(self, key: str, after: str, reach: str | None = None) -> Thread:
        """What came since a thread was read, and what changed of what was read of it, down to `reach`.

        Raises NotFoundError, RejectedError for a bad cursor.
        """
        mark, down_to = _mark(after), None if reach is None else _place(reach)
        if await self._store.conversation(key) is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        now = self._now()
        since = mark.wall - SKEW_MS
        arrived, loaded, replies, troubles, notes, events = await asyncio.gather(
            self._store.messages_since(key, mark.observed, MOST_NEW),
            self._loaded(key, down_to),
            self._lately(key, MOST_REPLIES if reach is None else MOST_LOADED_REPLIES),
            self._troubles(key),
            self._store.notes(key, MOST_NEW, since=since),
            self._store.audit_trail(key, MOST_NEW, since=mark.event, but=QUIET),
        )
        moved = {row.id for row in replies if _moved(row, since)}
        moved |= {name for name, some in troubles.items() if any(_heard(one) >= mark.observed for one in some)}
        changed = [row for row in loaded if _observed(row) >= mark.observed or row.message in moved]
        rows = list({(row.message, row.at): row for row in (*arrived, *changed)}.values())
        held = {row.message for row in (*rows, *loaded)}
        lately = [row for row in replies if row.id not in held or row.id in moved]
        items = [*await self._judged(key, rows, lately, troubles), *notes, *events]
        seen = max([mark.observed, *map(_observed, rows)])
        following = Mark(seen, now, max([mark.event, *(row.id for row in events)]))
        return Thread(
            items=sorted(items, key=order_of),
            newer=_written(following),
            complete=MOST_NEW not in map(len, (arrived, notes, events)),
        )

    async def _loaded(self, key: str, down_to: Place | None) -> list[MessageRow]:
        """The messages that a screen has read, the last one first: down to a place, or the latest if nobody knows."""
        rows = part = await self._store.latest_messages(key, LATEST)
        if down_to is None:
            return rows
        while part and len(rows) < MOST_LOADED and _place_of(part[-1]) > down_to.message:
            part = await self._store.latest_messages(key, MOST_NEW, _place_of(part[-1]))
            rows = [*rows, *part]
        # What stands before it would be told without what lies between.
        return [row for row in rows if _place_of(row) >= down_to.message]

    async def _lately(self, key: str, most: int = MOST_REPLIES) -> list[ReplyRow]:
        """The last replies, of which the store may have no messages yet."""
        return (await self._store.replies(ReplyFilter(key=key), most)).items

    async def _judged(
        self,
        key: str,
        rows: Sequence[MessageRow],
        lately: Sequence[ReplyRow],
        troubles: Mapping[str, Sequence[Anomaly]],
    ) -> list[MessageItem]:
        """Messages with all that is known of them; and those of `lately` that the store has not got yet."""
        replies = await self._replies(rows, lately)
        answers = [row.sent_at for row in rows if row.direction == "out" and not row.history]
        answers += [reply.at for reply in replies.values()]
        items: list[MessageItem] = []
        for row in rows:
            known = tuple(troubles.get(row.message, ()))
            late = lateness(row, answers, known)
            items.append(MessageItem(row=row, late=late, outgo=outgo(row, replies.get(row.message)), anomalies=known))
        held = {row.message for row in rows}
        items += [await self._waiting(key, reply) for reply in replies.values() if reply.id not in held]
        return items

    async def _waiting(self, key: str, reply: ReplyRow) -> MessageItem:
        stored = await self._store.message(key, reply.id)
        row = pending_row(reply) if stored is None else stored
        return MessageItem(row=row, outgo=outgo(row, reply), pending=stored is None)

    async def _replies(self, rows: Sequence[MessageRow], lately: Sequence[ReplyRow]) -> dict[str, ReplyRow]:
        """The replies that these messages are, and of the last ones all that were asked for a moment ago."""
        ours = {row.message for row in rows if row.message.startswith(OWN)}
        since = self._now() - ASKED_MS
        found = {row.id: row for row in lately if row.id in ours or row.at >= since}
        rest = await asyncio.gather(*(self._store.reply(name) for name in sorted(ours - found.keys())))
        return found | {row.id: row for row in rest if row is not None}

    async def _troubles(self, key: str) -> dict[str, list[Anomaly]]:
        platform, account, conversation = split_key(key)
        where = AnomalyFilter(platform=platform, account=account, conversation=conversation)
        page = await self._store.anomalies(where, MOST_ANOMALIES)
        found: dict[str, list[Anomaly]] = {}
        for one in page.items:
            if one.message is not None:
                found.setdefault(one.message, []).append(one)
        return found


def _moved(reply: ReplyRow, since: int) -> bool:
    """Whether something became known of a reply since."""
    return any(at is not None and at >= since for at in (reply.at, reply.claimed_at, reply.settled_at))


def _heard(one: Anomaly) -> int:
    """When something was last heard of an anomaly, in observed time (ms)."""
    return max(one.opened_at, one.acknowledged_at or 0, one.resolved_at or 0)


def _place_of(row: MessageRow) -> tuple[int, int, str]:
    return row.sent_at, row.at, row.message


def _merged(
    messages: Sequence[MessageRow], notes: Sequence[Note], events: Sequence[AuditRow], limit: int, at: Place
) -> tuple[list[MessageRow | Note | AuditRow], Place]:
    """The newest `limit` of three lists that go back in time each, and up to where each of them was used."""
    heads: list[tuple[int, MessageRow | Note | AuditRow]] = [
        *((row.sent_at, row) for row in messages),
        *((note.at, note) for note in notes),
        *((event.at, event) for event in _backwards(events)),
    ]
    chosen = [one for _, one in sorted(heads, key=lambda head: head[0], reverse=True)[:limit]]
    for one in chosen:
        match one:
            case MessageRow():
                at = Place(_place_of(one), at.note, at.event)
            case Note():
                at = Place(at.message, (one.at, one.id), at.event)
            case AuditRow():
                at = Place(at.message, at.note, one.id)
    return chosen, at


def _backwards(events: Sequence[AuditRow]) -> Iterable[AuditRow]:
    """In the order of their numbers, though two processes' clocks may tell it otherwise."""
    earliest = _LAST
    for event in events:
        earliest = min(earliest, event.at)
        yield event if event.at == earliest else _at(event, earliest)


def _at(event: AuditRow, at: int) -> AuditRow:
    return AuditRow(
        at=at,
        who=event.who,
        what=event.what,
        subject=event.subject,
        before=event.before,
        after=event.after,
        id=event.id,
    )


def _observed(row: MessageRow) -> int:
    """When something was last heard of a message, in observed time (ms)."""
    times = [row.at, *row.hops.values(), *(one["at"] for one in (*row.versions[1:], *row.translations))]
    times += [one["status_at"] for one in row.attachments if "status_at" in one]
    return max(times)


def _encoded(place: Place) -> str:
    return encode_cursor("thread", *place.message, *place.note, place.event)


def _place(cursor: str) -> Place:
    sent_at, at, message, note_at, note, event = decode_cursor(cursor, "thread", tuple[int, int, str, int, str, int])
    return Place((sent_at, at, message), (note_at, note), event)


def _written(mark: Mark) -> str:
    return encode_cursor("thread-news", mark.observed, mark.wall, mark.event)


def _mark(cursor: str) -> Mark:
    return Mark(*decode_cursor(cursor, "thread-news", tuple[int, int, int]))


__all__ = ["QUIET", "Thread", "Timeline", "TimelineStore"]
