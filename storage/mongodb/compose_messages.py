"""Messages and what becomes of them, as documents that are inserted and never changed.

A message's `_id` is `key/message`; where an id came again after more than a week, the later message has an `_id` of its
own and names the first in `later_life_of`. What becomes of a message in the flush that brings it is part of it, what
comes later is a document of `progress`, of which a flush makes one for each message.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import json

from actors.effects import Effects, MessageStored
from storage.digests import named_in
from storage.drafts import ID_LIFE_MS, PREVIEW
from storage.message_rows import is_kept, kept_detail
from storage.mongodb.connection import Row
from storage.mongodb.tokens import MOST_WORDS, keys_of
from storage.mongodb.writes import Group, encoded
from storage.texts import document, folded, order_key

ORDINALS_A_FLUSH = 1 << 20
STORY_BYTES = 4 << 20
"""What one document tells of what became of a message, at most."""

_encode = json.Encoder().encode


def identity(key: str, message: str) -> str:
    """The `_id` of a message's first life; a conversation's key has two slashes, so it is unambiguous."""
    return f"{key}/{message}"


def message_documents(
    effects: Effects, held: dict[str, int], *, partition: int, version: int, stamp: int, stored_at: int
) -> tuple[dict[str, Row], list[MessageStored]]:
    """The messages not yet held, by identity, and their effects. `held`: when each identity was stored last."""
    documents: dict[str, Row] = {}
    stored: list[MessageStored] = []
    ordinal = version * ORDINALS_A_FLUSH
    for effect in effects.messages:
        event = effect.event
        base = f"{effect.key}/{event.message}"
        before = held.get(base)
        if before is not None and effect.at - before <= ID_LIFE_MS:
            continue
        held[base] = effect.at
        text, ids, sender = document(event)
        found: Row = {
            "_id": base if before is None else f"/{effect.at}/{base}",
            "key": effect.key,
            "channel": effect.key.rpartition("/")[0],
            "message": event.message,
            "direction": event.direction,
            "sent_at": event.sent_at,
            "at": effect.at,
            "ordinal": ordinal + len(stored),
            "partition": partition,
            "stamp": stamp,
            "stored_at": stored_at,
            "event": _encode(event).decode(),
            "words": keys_of(ids, text, name=sender),
        }
        if before is not None:
            found["later_life_of"] = base
        if effect.delay is not None:
            found["delay"] = effect.delay
        if effect.merged_into is not None:
            found["merged_into"] = effect.merged_into
        if event.order:
            found["order"] = order_key(event.order)
        documents[base] = found
        stored.append(effect)
    return documents, stored


class _Stories:
    """Where what becomes of a message is written: into the message while it is fresh, else into progress documents."""

    def __init__(self, fresh: dict[str, Row], partition: int, stamp: int) -> None:
        self.documents: list[Row] = []
        self._current = dict(fresh)
        self._bytes: dict[str, int] = {}
        self._partition = partition
        self._stamp = stamp

    def of(self, key: str, message: str, size: int) -> Row:
        """The document to take `size` more bytes; a storm of edits goes into several, for each is bounded."""
        base = f"{key}/{message}"
        found = self._current.get(base)
        if not size and found is not None and base not in self._bytes:
            return found
        used = self._bytes.get(base, 0) + size
        if found is None or used > STORY_BYTES:
            used = size
            number = f"{self._partition}/{self._stamp}/{len(self.documents)}"
            found = self._current[base] = {"_id": number, "of": base, "key": key, "stamp": self._stamp}
            self.documents.append(found)
        self._bytes[base] = used
        return found


def progress_documents(effects: Effects, fresh: dict[str, Row], *, partition: int, stamp: int) -> list[Row]:
    """What became of messages: one for each, or into the message itself where this flush brings it."""
    stories = _Stories(fresh, partition, stamp)
    for repeat in effects.repeats:
        told = stories.of(repeat.key, repeat.message, 0)
        told["copies"] = told.get("copies", 0) + 1
    for hop in effects.hops:
        changed = is_kept(hop)
        told = stories.of(hop.key, hop.message, 4 * len(hop.text or "") + 60 if changed else 0)
        if (hops := told.get("hops")) is None:
            told["hops"] = {hop.hop: hop.at}
        else:
            hops.setdefault(hop.hop, hop.at)
        if not changed:
            continue
        told.setdefault("versions", []).append({"at": hop.at, "what": hop.hop, "text": hop.text})
        if hop.hop == "edited" and hop.text:
            words = dict.fromkeys([*told.get("words", ()), *keys_of(folded(hop.text))])
            told["words"] = list(words)[: 2 * MOST_WORDS]
    for fate in effects.attachments:
        detail = kept_detail(fate.detail)
        told = stories.of(fate.key, fate.message, 4 * len(fate.attachment) + len((detail or "").encode()) + 60)
        row: Row = {"id": fate.attachment, "status": fate.status, "at": fate.at}
        told.setdefault("attachments", []).append(row | ({"detail": detail} if detail else {}))
        if named := named_in(detail):
            told.setdefault("digests", []).extend(named)
    return stories.documents


def edited_texts(effects: Effects, stamp: int) -> list[Row]:
    """Show the newest text in the list where the edited message is the conversation's last one."""
    latest: dict[tuple[str, str], str] = {}
    for hop in effects.hops:
        if hop.hop == "edited" and hop.text is not None:
            latest[hop.key, hop.message] = hop.text[:PREVIEW]
    return [
        {
            # One a message, the last: of two in a flush the first, redone late, would stay.
            "q": {"_id": key, "stamp": {"$lte": stamp}, "row.last.message": message},
            "u": {"$set": {"stamp": stamp, "row.last.text": text}},
        }
        for (key, message), text in latest.items()
    ]


def groups_of_messages(fresh: Iterable[Row], progress: list[Row], edits: list[Row]) -> list[Group]:
    """Everything of this file, encoded."""
    return [
        Group("messages", "insert", encoded(list(fresh))),
        Group("progress", "insert", encoded(progress)),
        Group("conversations", "update", encoded(edits), phase=1),
    ]
