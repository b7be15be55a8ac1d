"""Cards that a seller may send about an order, after "v2.sellerchat.send_message".

Shopee addresses the buyer, not a conversation: a card goes to the customer of the conversation that it will stand in.
Its stickers and automatic replies are not sent from here: nobody picks the former, and nothing here writes by itself.
"""

from __future__ import annotations

import re

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.calling import RefusedError
from connectors.contract.typed import Allowance, Beginning, held_to, numbered
from connectors.shopee.api import ShopApi

SEND = "/api/v2/sellerchat/send_message"
_NUMBER = 30
KINDS = {"orderCard": Allowance(), "productCard": Allowance(text=_NUMBER)}
_ORDER = re.compile(r"[A-Z0-9]{1,64}", re.ASCII)


async def begin(shop: ShopApi, asked: Beginning) -> str:
    """Send one; Shopee's id of it. Raises the errors of `connectors.contract.calling`."""
    held_to(asked, KINDS)
    buyer = (asked.place.customer if asked.place is not None else None) or ""
    if not (buyer.isascii() and buyer.isdigit()):
        raise RefusedError("Shopee sends to a buyer's number, and none is known of this conversation", "no_buyer")
    content: dict[str, str | int] = {"order_sn": _order(asked.order)}
    if asked.kind == "productCard":
        content = {"item_id": int(numbered(asked.text, "a product"))}
    told = {"to_id": int(buyer), "message_type": "item" if asked.kind == "productCard" else "order", "content": content}
    found = await shop.post(SEND, told)
    with readable():
        return reading.identity(reading.part(found, "response"), "message_id")


def _order(order: str) -> str:
    if not _ORDER.fullmatch(order):
        raise RefusedError(f"an order of Shopee's has capitals and digits, not {order[:60]!r}", "number")
    return order


__all__ = ["KINDS", "SEND", "begin"]
