"""What TikTok Shop still holds: conversations with their messages ("Customer Service API").

Its pages are said to be sorted, and are not trusted to be: reading stops at a page that is older than the window as a
whole and does not rise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.connector import Parsed, UnreadableError
from connectors.contract.history import Window
from connectors.contract.reading import Document
from connectors.tiktok.api import ShopApi, step
from connectors.tiktok.inbound import events_of, is_shown

CONVERSATIONS = "/customer_service/202309/conversations"
CONVERSATIONS_PAGE, MESSAGES_PAGE = "20", "10"


def messages_path(conversation: str) -> str:
    """The path of a conversation's messages."""
    return f"{CONVERSATIONS}/{step(conversation)}/messages"


async def conversations(shop: ShopApi, window: Window, token: str | None) -> tuple[list[str], str | None]:
    """Ids of conversations that may have messages in the window, and the next page's token; None: there is none."""
    data = await shop.get(CONVERSATIONS, ("page_size", CONVERSATIONS_PAGE), *_at(token))
    with readable():
        every = [_conversation(one) for one in reading.items(data, "conversations")]
    listed = [conversation for conversation, last in every if last is None or last >= window.since]
    over = not every or _is_past([last for _, last in every], window)
    return listed, None if over else _following(data, token)


async def messages(
    shop: ShopApi, window: Window, conversation: str, token: str | None
) -> tuple[list[Parsed], str | None]:
    """What a page of a conversation tells, and the next page's token; None: the rest is older than the window."""
    newest_first = ("sort_order", "DESC"), ("sort_field", "create_time")
    data = await shop.get(messages_path(conversation), ("page_size", MESSAGES_PAGE), *newest_first, *_at(token))
    with readable():
        told = reading.items(data, "messages")

    def read(one: Document) -> Iterable[Parsed]:
        named = {"message_id": one.get("id"), **one, "conversation_id": conversation}
        return events_of(named, shop.binding.account) if is_shown(one) else ()

    over = not told or _is_past([_time({"message": one}, "message") for one in told], window)
    return reading.each(told, read), None if over else _following(data, token)


def _at(token: str | None) -> Sequence[tuple[str, str]]:
    return (("page_token", token),) if token else ()


def _following(data: Document, before: str | None) -> str | None:
    found = reading.optional_identity(data, "next_page_token")
    return None if found == before else found


def _is_past(times: Sequence[int | None], window: Window) -> bool:
    """Whether everything of a page is older than the window, and what comes after it is older still."""
    known = [at for at in times if at is not None]
    return len(known) == len(times) and max(known) < window.since and known[0] >= known[-1]


def _conversation(one: object) -> tuple[str, int | None]:
    """A conversation's id, and when its last message was sent (ms)."""
    conversation = reading.part({"conversation": one}, "conversation")
    return reading.identity(conversation, "id"), _time(conversation, "latest_message")


def _time(parent: Document, name: str) -> int | None:
    try:
        return reading.milliseconds(reading.part(parent, name), "create_time", unit_ms=1000)
    except UnreadableError:
        return None
