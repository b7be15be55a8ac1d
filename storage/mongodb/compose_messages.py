"""Messages and what becomes of them, as documents that are inserted and never changed.

A message's `_id` is `key/message`; where an id came again after more than a week, the later message has an `_id` of its
own and names the first in `later_life_of`. What becomes of a message in the flush that brings it is part of it, what
comes later is a document of `progress`, of which a flush makes one for each message.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import json

from actors.effects import Effects, MessageStored
from storage.drafts import ID_LIFE_MS, PREVIEW
from storage.mongodb.connection import Row
from storage.mongodb.tokens import keys_of
from storage.mongodb.writes import Group, encoded
from storage.texts import document, folded, order_key

ORDINALS_A_FLUSH = 1 << 20

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
        text, ids = document(event)
        found: Row = {
            "_id": base if before is None else f"/{effect.at}/{base}",
            "key": effect.key,
            "channel": effect.key.rpartition("/")[0],
            "message": event.message,
            "sent_at": event.sent_at,
            "at": effect.at,
            "ordinal": ordinal + len(stored),
            "partition": partition,
            "stamp": stamp,
            "stored_at": stored_at,
            "event": _encode(event).decode(),
            "words": keys_of(ids, text),
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


def progress_documents(effects: Effects, fresh: dict[str, Row], *, partition: int, stamp: int) -> list[Row]:
    """One for each message that something became of; into the message itself where this flush brings it."""
    documents: dict[str, Row] = {}

    def story(key: str, message: str) -> Row:
        base = f"{key}/{message}"
        found = fresh.get(base) or documents.get(base)
        if found is None:
            number = f"{partition}/{stamp}/{len(documents)}"
            found = documents[base] = {"_id": number, "of": base, "key": key, "stamp": stamp}
        return found

    for repeat in effects.repeats:
        told = story(repeat.key, repeat.message)
        told["copies"] = told.get("copies", 0) + 1
    for hop in effects.hops:
        told = story(hop.key, hop.message)
        told.setdefault("hops", {}).setdefault(hop.hop, hop.at)
        if hop.hop in {"edited", "deleted"}:
            told.setdefault("versions", []).append({"at": hop.at, "what": hop.hop, "text": hop.text})
            if hop.hop == "edited" and hop.text:
                told["words"] = [*dict.fromkeys([*told.get("words", ()), *keys_of(folded(hop.text))])]
    for fate in effects.attachments:
        told = story(fate.key, fate.message)
        told.setdefault("attachments", {})[fate.attachment] = {"status": fate.status, "at": fate.at}
    for told in (*documents.values(), *fresh.values()):
        if "attachments" in told:  # ids may hold what no field name may
            told["attachments"] = [{"id": name, **fate} for name, fate in told["attachments"].items()]
    return list(documents.values())


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
