"""What a notification points to, after "Notifications": a message, a sale's pack or a question, fetched afterwards."""

from __future__ import annotations

from connectors.contract import reading
from connectors.contract.connector import UnreadableError
from connectors.contract.history import Pointer
from connectors.contract.reading import Document
from connectors.mercadolibre.messages import plain_id
from connectors.mercadolibre.questions import TOPIC

RECENT_MS = 86_400_000
"""A notification of a pack is about what was written in it lately; the rest is history's."""


def pointer_of(told: Document) -> Pointer:
    """`resource` is an id, or a path that ends with one, or one of a pack."""
    pieces = [piece for piece in reading.identity(told, "resource").split("?")[0].split("/") if piece]
    if "packs" in pieces[:-1]:
        about = {"pack": plain_id(pieces[pieces.index("packs") + 1])}
        if reading.text(told, "sent"):
            about["since"] = str(reading.instant(told, "sent") - RECENT_MS)
    elif pieces and pieces[-1] not in {"messages", "packs"}:
        about = {"message": plain_id(pieces[-1])}
    else:
        raise UnreadableError("'resource' names nothing")
    actions = "+".join(action for action in reading.items(told, "actions") if isinstance(action, str))
    kind, own = next(iter(about.items()))
    return Pointer(id=f"{kind}/{own}/{actions[:64]}", about=about)


def question_pointer_of(told: Document) -> Pointer:
    """A question changes when it is answered or taken away: each notification is a pointer of its own."""
    pieces = [piece for piece in reading.identity(told, "resource").split("?")[0].split("/") if piece]
    if not pieces or pieces[-1] == TOPIC:
        raise UnreadableError("'resource' names nothing")
    own = plain_id(pieces[-1])
    return Pointer(id=f"question/{own}/{reading.optional_identity(told, '_id') or ''}"[:200], about={"question": own})


__all__ = ["pointer_of", "question_pointer_of"]
