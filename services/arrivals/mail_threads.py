"""Where mails are looked up: which are held, in which conversation, and which conversation an answer goes on.

Mails that were read a moment ago may be in the log and not in the store yet: the latest are remembered here as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from actors.keys import channel_key, conversation_key, split_key
from connectors.email.identity import bare_subject
from connectors.email.threads import Clues, Held, Note
from storage.channel_ports import OutboxStore
from storage.ports import InboxStore
from storage.records import ConversationFilter, MessageRow

OWN = "weir-"
"""How ids of replies begin."""
REMEMBERED = 20_000
DAY_MS = 86_400_000
WEAK_DAYS = 14
"""How long after its last message a conversation is gone on by subject and sender alone."""
MOST_ASKED = 12
CANDIDATES = 5
LATEST = 5
SAME_ID = 20


class MailThreadStore(InboxStore, OutboxStore, Protocol):
    """The parts of a store used here."""


class MailThreads:
    """`connectors.email.threads.Threads`, for the mailboxes of one deployment."""

    def __init__(self, store: MailThreadStore, *, remembered: int = REMEMBERED, weak_days: int = WEAK_DAYS) -> None:
        self._store = store
        self._remembered = remembered
        self._weak_ms = weak_days * DAY_MS
        self._mails: OrderedDict[tuple[str, str, str], Note] = OrderedDict()
        self._channels: dict[str, set[str]] = {}
        """Of the remembered mails: in which channels they are."""

    async def held(self, platform: str, account: str, mail: str) -> Held | None:
        """The mail with that id in that channel. Raises RetriableError."""
        known = self._mails.get((platform, account, mail))
        if known is not None:
            return known.held
        if mail.startswith(OWN) and (ours := await self._ours(platform, account, mail)) is not None:
            return ours
        for row in await self._store.messages_of_id(mail, SAME_ID):
            where = split_key(row.key)
            if where[:2] == (platform, account):
                content = _extra(row).get("content")
                return Held(
                    message=row.message,
                    conversation=where[2],
                    content=content if isinstance(content, str) else None,
                    sent_at=row.sent_at,
                )
        return None

    async def find(self, platform: str, account: str, clues: Clues) -> str | None:
        """The conversation that a mail goes on, by its clues in their order. Raises RetriableError."""
        if clues.token is not None and await self._exists(platform, account, clues.token):
            return clues.token
        for mail in _likeliest(clues.ids):
            held = await self.held(platform, account, mail)
            if held is not None:
                return held.conversation
        if clues.order and (known := await self._by_order(platform, account, clues.order)) is not None:
            return known
        if clues.subject and clues.sender:
            return await self._by_subject(platform, account, clues)
        return None

    async def siblings(self, platform: str, account: str, mail: str) -> Sequence[str]:
        """The other channels that hold a mail with that id. Raises RetriableError."""
        own = channel_key(platform, account)
        noted = self._channels.get(mail, set())
        rows = await self._store.messages_of_id(mail, SAME_ID)
        found = {channel_key(*split_key(row.key)[:2]) for row in rows} | noted
        return sorted(found - {own})

    def note(self, platform: str, account: str, note: Note) -> None:
        """Remember a mail, and forget the one remembered longest ago."""
        place = (platform, account, note.id)
        self._mails[place] = note
        self._mails.move_to_end(place)
        self._channels.setdefault(note.id, set()).add(channel_key(platform, account))
        while len(self._mails) > self._remembered:
            self._forget(*self._mails.popitem(last=False)[0])

    def _forget(self, platform: str, account: str, mail: str) -> None:
        left = self._channels.get(mail, set())
        left.discard(channel_key(platform, account))
        if not left:
            self._channels.pop(mail, None)

    async def _ours(self, platform: str, account: str, mail: str) -> Held | None:
        """A reply of ours, by the id that it was sent under: the answer to its sending may have been lost."""
        known = await self._store.reply_ids(platform, account, [mail])
        row = await self._store.reply(known.get(mail, mail.partition("@")[0]))
        if row is None or (row.platform, row.account) != (platform, account):
            return None
        return Held(message=row.id, conversation=row.conversation)

    async def _exists(self, platform: str, account: str, conversation: str) -> bool:
        key = conversation_key(platform, account, conversation)
        if any(
            note.held.conversation == conversation and place[:2] == (platform, account)
            for place, note in self._mails.items()
        ):
            return True
        return await self._store.conversation(key) is not None

    async def _by_order(self, platform: str, account: str, order: str) -> str | None:
        """The latest conversation about this order."""
        where = ConversationFilter(platform=platform, account=account, order=order)
        found = (await self._store.conversations(where, 1)).items
        return found[0].conversation if found else None

    async def _by_subject(self, platform: str, account: str, clues: Clues) -> str | None:
        """The latest conversation with this sender about the same, when it is not too long ago."""
        for place, note in reversed(self._mails.items()):
            same = (note.subject, note.counterpart) == (clues.subject, clues.sender)
            if place[:2] == (platform, account) and same and self._near(note.held.sent_at, clues.at):
                return note.held.conversation
        where = ConversationFilter(platform=platform, account=account, contact=clues.sender)
        for row in (await self._store.conversations(where, CANDIDATES)).items:
            if self._near(row.last_sent_at, clues.at):
                latest = await self._store.latest_messages(row.key, LATEST)
                if any(_subject(one) == clues.subject for one in latest):
                    return row.conversation
        return None

    def _near(self, one: int | None, other: int) -> bool:
        return one is not None and abs(other - one) <= self._weak_ms


def _likeliest(ids: Sequence[str]) -> Sequence[str]:
    """The first of them, and the last, which began the thread."""
    return ids if len(ids) <= MOST_ASKED else (*ids[: MOST_ASKED - 1], ids[-1])


def _extra(row: MessageRow) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", row.extra) if isinstance(row.extra, dict) else {}


def _subject(row: MessageRow) -> str | None:
    found = _extra(row).get("subject")
    return bare_subject(found)[0] if isinstance(found, str) else None


__all__ = ["MailThreadStore", "MailThreads"]
