"""What a seller may begin about an order, after "Create Conversation", "Send Message" and "Get Order Detail".

The order tells its buyer, and the conversation with the buyer is created, or opened again as the one it was. TikTok
takes messages within 60 days of an order. Reading an order needs a permission of its own.
"""

from __future__ import annotations

import msgspec

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.calling import RefusedError, before_sending
from connectors.contract.typed import Allowance, Beginning, elsewhere, held_to, numbered
from connectors.tiktok.api import ShopApi
from connectors.tiktok.history import CONVERSATIONS, messages_path

ORDERS = "/order/202309/orders"
LONGEST = 2_000
_NUMBER = 30
KINDS = {
    "orderMessage": Allowance(text=LONGEST),
    "orderCard": Allowance(),
    "parcelCard": Allowance(),
    "productCard": Allowance(text=_NUMBER),
    "couponCard": Allowance(text=_NUMBER),
}
CARDS = {
    "orderCard": ("ORDER_CARD", "order_id"),
    "parcelCard": ("LOGISTICS_CARD", "order_id"),
    "productCard": ("PRODUCT_CARD", "product_id"),
    "couponCard": ("COUPON_CARD", "coupon_id"),
}
"""The type of each, and the field that holds its number."""


async def begin(shop: ShopApi, asked: Beginning) -> str:
    """Send one; TikTok's id of it. Raises the errors of `connectors.contract.calling`."""
    type_, content = _content(asked)
    with before_sending():
        conversation = await _opened(shop, numbered(asked.order, "an order"))
        elsewhere(conversation, asked.place)
    body = {"type": type_, "content": msgspec.json.encode(content).decode()}
    data = await shop.post(messages_path(conversation), body)
    with readable():
        return reading.identity(data, "message_id")


def _content(asked: Beginning) -> tuple[str, dict[str, str]]:
    held_to(asked, KINDS)
    if asked.kind not in CARDS:
        return "TEXT", {"content": asked.text}
    type_, field = CARDS[asked.kind]
    return type_, {field: numbered(asked.order if field == "order_id" else asked.text, "what a card shows")}


async def _opened(shop: ShopApi, order: str) -> str:
    """The conversation with the buyer of an order."""
    data = await shop.get(ORDERS, ("ids", order))
    with readable():
        told = [reading.part({"order": one}, "order") for one in reading.items(data, "orders")]
        buyers = [reading.identity(one, "user_id") for one in told if reading.identity(one, "id") == order]
    if not buyers:
        raise RefusedError(f"the shop has no order {order}", "no_order")
    data = await shop.post(CONVERSATIONS, {"buyer_user_id": buyers[0]})
    with readable():
        return reading.identity(data, "conversation_id")


__all__ = ["KINDS", "begin"]
