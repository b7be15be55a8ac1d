"""What Amazon notifies of: ORDER_CHANGE, after "Notifications API v1" and its schemas of the Selling Partner API.

Amazon sends notifications to a queue (`queue.py`) or an event bus of the seller's, never here; the bus can pass them on
to an address (an API destination of EventBridge), with a key of the seller's own choice in a header. Unconfirmed: that
the bus puts the notification under `detail`; both forms are read.
"""

from __future__ import annotations

from datetime import datetime

from actors.events import Message, Sender
from actors.orders import Order, OrderItem
from connectors.contract import reading
from connectors.contract.connector import UnreadableError
from connectors.contract.history import Pointer
from connectors.contract.reading import Document

CHANGE = "ORDER_CHANGE"
BY_BUYER = "BuyerRequestedChange"


def pointer(body: bytes) -> Pointer | None:
    """What a notification is about; None for those of other kinds. Raises UnreadableError."""
    told = reading.document(body)
    told = reading.optional_part(told, "detail") or told
    if reading.text(told, "NotificationType") != CHANGE:
        return None
    change = reading.part(reading.part(told, "Payload"), "OrderChangeNotification")
    summary = reading.optional_part(change, "Summary")
    trigger = reading.optional_part(change, "OrderChangeTrigger")
    about = {
        "order": reading.identity(change, "AmazonOrderId"),
        "change": reading.text(change, "OrderChangeType"),
        "reason": reading.text(trigger, "ChangeReason"),
        "at": reading.text(trigger, "TimeOfOrderChange") or reading.text(told, "EventTime"),
        "bought_at": reading.text(summary, "PurchaseDate"),
        "status": reading.text(summary, "OrderStatus"),
        "items": "\n".join(_items(summary)),
    }
    number = reading.identity(reading.part(told, "NotificationMetadata"), "NotificationId")
    return Pointer(id=number, about={name: value[:2_000] for name, value in about.items() if value})


def _items(summary: Document) -> list[str]:
    """One line each: how many, and the seller's number of it."""
    lines: list[str] = []
    for item in reading.items(summary, "OrderItems"):
        line = reading.part({"item": item}, "item")
        sku = reading.optional_identity(line, "SellerSKU")
        if sku is not None:
            lines.append(f"{reading.size(line, 'Quantity') or 1} {sku.replace(chr(10), ' ')}")
    return lines


def order_of(pointed: Pointer, platform: str, account: str) -> Order:
    """The order as the notification tells it. Raises UnreadableError when it has no time."""
    at = _time(pointed.about.get("at", ""))
    bought = pointed.about.get("bought_at")
    number = pointed.about["order"]
    items = [line.partition(" ") for line in pointed.about.get("items", "").split("\n") if line]
    return Order(
        platform=platform,
        account=account,
        id=number,
        number=number,
        created_at=_time(bought) if bought else at,
        updated_at=at,
        status=pointed.about.get("status"),
        items=[OrderItem(title=sku, sku=sku, quantity=int(count)) for count, _, sku in items],
    )


def wish_of(pointed: Pointer, platform: str, account: str, conversation: str) -> Message | None:
    """What the buyer wants changed, as a message in their conversation; None when it was not the buyer."""
    if pointed.about.get("change") != BY_BUYER:
        return None
    reason = pointed.about.get("reason") or "a change"
    return Message(
        platform=platform,
        account=account,
        conversation=conversation,
        message=f"notification-{pointed.id}",
        sent_at=_time(pointed.about.get("at", "")),
        direction="in",
        sender=Sender(id="amazon", name="Amazon", role="system"),
        text=f"{reason} (order {pointed.about['order']})",
        order=pointed.about["order"],
        via="push",
        extra={"amazon": "order_change"},
    )


def _time(found: str) -> int:
    try:
        return round(datetime.fromisoformat(found).timestamp() * 1_000)
    except (ValueError, OverflowError) as wrong:
        raise UnreadableError("the notification has no time that can be read") from wrong


__all__ = ["order_of", "pointer", "wish_of"]
