"""Questions before a sale, after "Questions and answers": one question is one conversation, which one answer ends.

All of it is unconfirmed and stands behind the setting `questions`. Who asked has no name; what the question is about is
in `extra`. A question that was taken away is a recalled message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.events import Delete, Message, Receipt, Sender
from connectors.contract import reading
from connectors.contract.canonical import taken
from connectors.contract.outgoing import Limits
from connectors.contract.reading import Document
from connectors.mercadolibre.messages import plain_id

PREFIX, ANSWER = "question-", "answer-"
"""How the ids of such conversations and their questions begin, and those of answers."""
TOPIC = "questions"
VERSION = ("api_version", "4")
GONE = frozenset({"DELETED", "BANNED", "DISABLED"})
LIMITS = Limits(text=2_000, files=0, forbids=frozenset({"links", "emails", "phones"}))


def question_of(conversation: str) -> str | None:
    """The question that a conversation is; None when it is about a sale."""
    return conversation.removeprefix(PREFIX) if conversation.startswith(PREFIX) else None


def events_of(platform: str, account: str, seller: str, found: Document) -> Iterator[Message | Receipt | Delete]:
    """A question, and its answer where there is one. Raises UnreadableError."""
    own = plain_id(reading.identity(found, "id"))
    conversation = f"{PREFIX}{own}"
    where: dict[str, Any] = {"platform": platform, "account": account, "conversation": conversation}
    author = reading.identity(reading.part(found, "from"), "id")
    status = reading.text(found, "status") or ""
    item = reading.optional_identity(found, "item_id")
    yield Message(
        **where,
        message=conversation,
        sent_at=reading.instant(found, "date_created"),
        direction="in",
        sender=Sender(id=author, role="customer"),
        text=reading.text(found, "text"),
        via="push",
        extra={"kind": "question", **({"item": item} if item else {})},
    )
    if status in GONE:
        yield Delete(**where, message=conversation, event=f"{own}/{status}")
    answer = reading.optional_part(found, "answer")
    if text := reading.text(answer, "text"):
        told = Message(
            **where,
            message=f"{ANSWER}{own}",
            sent_at=reading.instant(answer, "date_created"),
            direction="out",
            sender=Sender(id=seller, role="agent"),
            text=text,
            reply_to=conversation,
            via="push",
        )
        yield told
        yield taken(told)


__all__ = ["ANSWER", "LIMITS", "PREFIX", "TOPIC", "VERSION", "events_of", "question_of"]
