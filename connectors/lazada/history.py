"""What Lazada still holds: sessions with their messages, newest first ("GetSessionList", "GetMessages")."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.connector import Parsed, UnreadableError
from connectors.contract.history import Window
from connectors.contract.reading import Document
from connectors.lazada.api import SellerApi
from connectors.lazada.inbound import events_of

SESSIONS, MESSAGES = "/im/session/list", "/im/message/list"
PAGE = "20"


class Cursor(Struct, frozen=True):
    """Where a page begins: a time (ms), and the last id of the page before."""

    start: str
    last: str | None = None


async def sessions(seller: SellerApi, window: Window, cursor: Cursor) -> tuple[list[str], Cursor | None]:
    """Ids of sessions that may have messages in the window, and where the next page begins; None: nowhere."""
    place = {"last_session_id": cursor.last} if cursor.last else {}
    found = await seller.get(SESSIONS, start_time=cursor.start, page_size=PAGE, **place)
    with readable():
        data = reading.part(found, "data")
        every = [_session(one) for one in reading.items(data, "session_list")]
    listed = [session for session, last in every if last is None or last >= window.since]
    over = not listed and bool(every)
    return listed, None if over or not every else _following(data, "last_session_id", cursor)


async def messages(
    seller: SellerApi, window: Window, session: str, cursor: Cursor
) -> tuple[list[Parsed], Cursor | None]:
    """What a page of a session tells, and where the next one begins; None: the rest is older than the window."""
    place = {"last_message_id": cursor.last} if cursor.last else {}
    found = await seller.get(MESSAGES, session_id=session, start_time=cursor.start, page_size=PAGE, **place)
    with readable():
        data = reading.part(found, "data")
        told = reading.items(data, "message_list")
    parsed = reading.each(told, lambda one: events_of({"session_id": session, **one}, seller.binding))
    times = _times(told)
    over = not told or (bool(times) and min(times) < window.since)
    return parsed, None if over else _following(data, "last_message_id", cursor)


def _following(data: Document, name: str, before: Cursor) -> Cursor | None:
    """Where the next page begins; None when there is none, or it would be the same again."""
    start = reading.optional_identity(data, "next_start_time")
    if data.get("has_more") is not True or start is None:
        return None
    cursor = Cursor(start, reading.optional_identity(data, name))
    return None if cursor == before else cursor


def _session(one: object) -> tuple[str, int | None]:
    """A session's id, and when its last message was sent (ms)."""
    session = reading.part({"session": one}, "session")
    return reading.identity(session, "session_id"), _time(session, "last_message_time")


def _times(told: Sequence[object]) -> list[int]:
    found = (_time(reading.optional_part({"message": one}, "message"), "send_time") for one in told)
    return [at for at in found if at is not None]


def _time(parent: Document, name: str) -> int | None:
    try:
        return reading.milliseconds(parent, name)
    except UnreadableError:
        return None
