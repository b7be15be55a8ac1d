"""What Mercado Libre still holds: the messages of packs, questions, and what notifications told of in vain.

Packs are listed only while they have unread messages; no reading marks one as read. Questions and missed notifications
are unconfirmed and asked for where the settings `questions` and `missed_feeds` say so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, cast
from urllib.parse import quote

from actors.events import Message
from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.connector import Parsed
from connectors.contract.reading import Document
from connectors.mercadolibre.asking import TAG, Asking
from connectors.mercadolibre.questions import VERSION

PAGE = 50
MOST_PAGES = 40
MOST_PACKS = 1_000
"""So many conversations one listing of unread ones names at most."""


async def page(asking: Asking, seller: str, pack: str, number: int = 0) -> Document:
    """One page of a pack's messages. Raises the errors of `connectors.contract.calling`, as all of these do."""
    place = (("limit", str(PAGE)), ("offset", str(number * PAGE)))
    return await asking.get(path_of(pack, seller), TAG, ("mark_as_read", "false"), *place)


async def pages(asking: Asking, seller: str, pack: str) -> AsyncIterator[Sequence[Any]]:
    """All messages of a pack, page by page."""
    for number in range(MOST_PAGES):
        found = await page(asking, seller, pack, number)
        messages = messages_of(found)
        yield messages
        total = reading.size(reading.optional_part(found, "paging"), "total")
        if len(messages) < PAGE or (total is not None and total <= (number + 1) * PAGE):
            return


async def unread(asking: Asking) -> list[str]:
    """The packs that have unread messages."""
    told = await asking.get("messages/unread", ("role", "seller"), TAG)
    with readable():
        found = reading.items(told, "results")
    return list(dict.fromkeys(_packs(found)))[:MOST_PACKS]


async def question(asking: Asking, own: str) -> Document:
    """One question, with its answer where there is one."""
    return await asking.get(f"questions/{quote(own, safe='')}", VERSION)


async def questions(asking: Asking, seller: str) -> AsyncIterator[Sequence[Any]]:
    """The seller's questions, the newest first, page by page."""
    order = (("sort_fields", "date_created"), ("sort_types", "DESC"))
    for number in range(MOST_PAGES):
        place = (("limit", str(PAGE)), ("offset", str(number * PAGE)))
        told = await asking.get("questions/search", ("seller_id", seller), VERSION, *order, *place)
        with readable():
            found = reading.items(told, "questions")
        yield found
        if len(found) < PAGE:
            return


async def missed(asking: Asking, app: str) -> Sequence[Any]:
    """The notifications that did not get through, of all sellers of the application."""
    told = await asking.get("missed_feeds", ("app_id", app))
    with readable():
        return reading.items(told, "messages")


def path_of(pack: str, seller: str) -> str:
    """The path of a pack's messages."""
    return f"messages/packs/{quote(pack, safe='')}/sellers/{quote(seller, safe='')}"


def messages_of(told: Document) -> Sequence[Any]:
    """Those of a listing; a message that stands for itself is a listing of one."""
    with readable():
        return reading.items(told, "messages") if "messages" in told else [told]


def newer(found: Sequence[Parsed], since: int) -> list[Parsed]:
    """Without the messages before that time (ms) and what is about them."""
    old = {one.message for one in found if isinstance(one, Message) and one.sent_at < since}
    return [one for one in found if getattr(one, "message", None) not in old]


def _packs(found: Sequence[Any]) -> Iterator[str]:
    for one in found:
        resource = reading.text(cast("Document", one), "resource") if isinstance(one, dict) else None
        pieces = (resource or "").strip("/").split("/")
        if pieces[0] == "packs" and len(pieces) > 1 and pieces[1]:
            yield pieces[1]


__all__ = [
    "MOST_PAGES",
    "messages_of",
    "missed",
    "newer",
    "page",
    "pages",
    "path_of",
    "question",
    "questions",
    "unread",
]
