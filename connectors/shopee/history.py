"""What Shopee still holds: conversations with their messages, and pushes that did not arrive.

After "v2.sellerchat.get_conversation_list", "v2.sellerchat.get_message" and "v2.push.get_lost_push_message". Cursors of
conversations count nanoseconds; messages come newest first.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from actors.events import Message
from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.connector import Parsed, Refused, UnreadableError
from connectors.contract.history import Window
from connectors.contract.reading import Document
from connectors.shopee.api import ShopApi
from connectors.shopee.inbound import events_of, is_affiliate, own_id, parsed_push, shop_of

CONVERSATIONS = "/api/v2/sellerchat/get_conversation_list"
MESSAGES = "/api/v2/sellerchat/get_message"
LOST = "/api/v2/push/get_lost_push_message"
CONSUMED = "/api/v2/push/confirm_consumed_lost_push_message"
PAGE = "50"
_NANOSECONDS_PER_MS = 1_000_000
_MOST_DIGITS = 20
_BEFORE_ANY_MS, _AFTER_ANY_MS = 10**11, 10**14
"""Milliseconds since 1970 lie between these for as long as Shopee exists; seconds and nanoseconds do not."""


class Lost(Struct, frozen=True, kw_only=True):
    """Pushes that did not arrive: what they tell this channel, and up to which they may be confirmed (None: not).

    `more`: whether there are others.
    """

    parsed: Sequence[Parsed]
    confirm: int | None
    more: bool


async def conversations(shop: ShopApi, window: Window, cursor: str | None) -> tuple[list[str], str | None]:
    """Ids of conversations that may have messages in the window, and where the next page begins; None: nowhere."""
    place = (("direction", "older"), ("next_timestamp_nano", cursor)) if cursor else (("direction", "latest"),)
    found = await shop.get(CONVERSATIONS, *place, ("type", "all"), ("page_size", PAGE))
    with readable():
        answer = reading.part(found, "response")
        every = [_listed(one) for one in reading.items(answer, "conversations")]
        paging = reading.optional_part(answer, "page_result")
        following = own_id(reading.optional_part(paging, "next_cursor"), "next_message_time_nano")
    listed = [conversation for conversation, last in every if last is None or last >= window.since]
    if not every or not following or paging.get("more") is not True or _before(following, window.since):
        return listed, None
    return listed, following


async def messages(
    shop: ShopApi, window: Window, conversation: str, offset: str | None, account: str
) -> tuple[list[Parsed], str | None]:
    """What a page of a conversation tells, and where the next one begins; None: the rest is older than the window."""
    place = (("offset", offset),) if offset else ()
    found = await shop.get(MESSAGES, ("conversation_id", conversation), ("page_size", PAGE), *place)
    with readable():
        answer = reading.part(found, "response")
        told = reading.items(answer, "messages")
        following = own_id(reading.optional_part(answer, "page_result"), "next_offset")
    ours = shop.binding.settings["shop_id"]
    parsed = reading.each(told, lambda one: [] if is_affiliate(one) else events_of(one, ours, account))
    times = [at for at in map(_sent_at, told) if at is not None]
    over = not told or (bool(times) and min(times) < window.since)
    return parsed, None if over else following


async def lost(shop: ShopApi, window: Window, account: str) -> Lost:
    """The earliest pushes that Shopee could not deliver within three days and nobody confirmed.

    They are the whole app's. They are confirmed only when none of them is another shop's chat, which its own channel
    takes in, and none is of another time than the window's.
    """
    found = await shop.get(LOST, shop=False)
    with readable():
        answer = reading.part(found, "response")
        last = own_id(answer, "last_message_id")
        told = reading.items(answer, "push_message_list")
    ours = shop.binding.settings["shop_id"]
    pushes = [_push(one) for one in told]
    strangers = any(push is not None and shop_of(push) not in {None, ours} for push in pushes)
    parsed: list[Parsed] = []
    for push, raw in zip(pushes, told, strict=True):
        parsed += _told(push, raw, ours, account)
    beyond = any(isinstance(one, Message) and not window.since <= one.sent_at < window.until for one in parsed)
    known = told and last and last.isascii() and last.isdigit() and len(last) <= _MOST_DIGITS
    confirm = int(last) if known and last and not (strangers or beyond) else None
    return Lost(parsed=parsed, confirm=confirm, more=answer.get("has_next_page") is True)


async def confirm(shop: ShopApi, last: int) -> None:
    """Tell Shopee that the lost pushes up to this one are taken in."""
    await shop.post(CONSUMED, {"last_message_id": last}, shop=False)


def _told(push: Document | None, raw: object, ours: str, account: str) -> Sequence[Parsed]:
    """What a lost push tells this channel; one that cannot be read is refused with its bytes."""
    body = reading.shown(raw)
    if push is None:
        return [Refused(body, "a lost push cannot be read")]
    try:
        return parsed_push(push, body, ours, account) if shop_of(push) in {None, ours} else ()
    except UnreadableError as wrong:
        return [Refused(body, str(wrong))]


def _push(one: object) -> Document | None:
    """The push itself, which stands in `data` as JSON in a string, whole or without what is beside it."""
    try:
        item = reading.part({"push": one}, "push")
        inner = reading.document((reading.text(item, "data") or "").encode())
    except UnreadableError:
        return None
    whole = inner if "data" in inner else {"data": inner}
    return {"code": item.get("code"), "shop_id": item.get("shop_id"), **whole}


def _listed(one: object) -> tuple[str, int | None]:
    """A conversation's id, and when its last message was sent (ms), told in a unit that its size gives away."""
    conversation = reading.part({"conversation": one}, "conversation")
    last = own_id(conversation, "last_message_timestamp")
    if last is None or not (last.isascii() and last.isdigit()) or len(last) > _MOST_DIGITS:
        return reading.identity(conversation, "conversation_id"), None
    at = int(last)
    while at >= _AFTER_ANY_MS:
        at //= 1_000
    return reading.identity(conversation, "conversation_id"), at if at >= _BEFORE_ANY_MS else at * 1_000


def _sent_at(one: object) -> int | None:
    try:
        return reading.milliseconds(reading.part({"message": one}, "message"), "created_timestamp", unit_ms=1000)
    except UnreadableError:
        return None


def _before(nanoseconds: str, since: int) -> bool:
    if not (nanoseconds.isascii() and nanoseconds.isdigit()):
        return False
    return int(nanoseconds[:_MOST_DIGITS]) < since * _NANOSECONDS_PER_MS
