"""The search: a few of each kind for what is being typed, and messages page by page."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query
from msgspec import to_builtins
from starlette.responses import Response

from actors.errors import RejectedError
from actors.keys import split_key
from actors.orders import Order
from api.asking import Cursor, Instant, Limit, Parts, Word, instant, needs
from api.views import View, answer, conversation_view, page_answer, rfc3339
from services.people.permissions import Caller
from services.search.excerpts import excerpt
from services.search.query import Asked, narrowed, parse
from storage.search_records import MessageHit

router = APIRouter(prefix="/api/v1/search", tags=["search"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Line = Annotated[
    str,
    Query(
        max_length=1024,
        description="Words and qualifiers: from:, order:, tracking:, platform:, account:, label:, contact:,"
        " before:, after:, on: (2026-01-31, 2026-01, 2026), in: (a conversation's key).",
    ),
]
Zone = Annotated[str, Query(max_length=64, description="IANA time zone of the days in `q`.")]


@router.get("", summary="A few of each kind, for a palette")
async def palette(parts: Parts, caller: Reader, q: Line = "", tz: Zone = "UTC") -> Response:
    """Conversations, contacts, orders and messages; `bounded`: there is more than is shown. No horizon."""
    asked = parse(q, _zone(tz))
    found = await parts.search.palette(caller, asked)
    return answer(
        {
            "asked": _asked(asked),
            "conversations": [conversation_view(row) for row in found.conversations],
            "contacts": [to_builtins(one) for one in found.contacts],
            "orders": [_order(one) for one in found.orders],
            "messages": [hit_view(hit) for hit in found.messages],
            "bounded": found.bounded,
        }
    )


@router.get("/messages", summary="Messages, newest first")
async def messages(  # one parameter per filter
    parts: Parts,
    caller: Reader,
    q: Line = "",
    platform: Word = None,
    account: Word = None,
    label: Word = None,
    contact: Word = None,
    order: Word = None,
    conversation: Word = None,
    direction: Literal["in", "out"] | None = None,
    since: Instant = None,
    until: Instant = None,
    tz: Zone = "UTC",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By when they were sent, however old. A page may be short or empty and yet have a `next`: go on with it."""
    asked = narrowed(
        parse(q, _zone(tz)),
        platform=platform,
        account=account,
        label=label,
        contact=contact,
        order=order,
        conversation=conversation,
        direction=direction,
        since=instant(since, "since"),
        until=instant(until, "until"),
    )
    return page_answer(await parts.search.messages(caller, asked, limit, cursor), hit_view)


def hit_view(hit: MessageHit) -> View:
    """A found message: an excerpt around what was asked for; the whole text is with its conversation."""
    row = hit.row
    part = excerpt(hit.text, hit.ranges)
    platform, account, conversation = split_key(row.key)
    return {
        "key": row.key,
        "message": row.message,
        "platform": platform,
        "account": account,
        "conversation": conversation,
        "direction": row.direction,
        "sent_at": rfc3339(row.sent_at),
        "sender_name": row.sender_name,
        "sender_role": row.sender_role,
        "contact_name": hit.contact_name,
        "order": row.order,
        "lang": row.lang,
        "attachments": len(row.attachments),
        "recalled": "deleted" in row.hops,
        "fields": hit.fields,
        "version": hit.version,
        "ranges": hit.ranges,
        "excerpt": to_builtins(part),
    }


def _asked(asked: Asked) -> View:
    view: dict[str, Any] = {name: getattr(asked, name) for name in asked.__struct_fields__}
    view["since"], view["until"] = rfc3339(asked.since), rfc3339(asked.until)
    return {name: value for name, value in view.items() if value}


def _order(order: Order) -> View:
    """What identifies an order; the customer's data is with the conversation."""
    return {
        "platform": order.platform,
        "account": order.account,
        "id": order.id,
        "number": order.number,
        "created_at": rfc3339(order.created_at),
        "status": order.status,
        "total": order.total,
        "currency": order.currency,
        "name": order.name,
        "contact": order.contact,
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RejectedError("tz: write an IANA time zone such as Asia/Shanghai") from error
