"""What stands in braces in a template, and its value for one conversation; what has none is left to be filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from actors.orders import Order, Shipment
from storage.records import ConversationRow

VARIABLES = (
    "contact.name",
    "contact.first_name",
    "order.number",
    "order.status",
    "order.total",
    "order.item",
    "tracking.number",
    "tracking.carrier",
    "tracking.link",
    "agent.name",
    "shop",
    "platform",
)
"""Those that are known; any other word in braces is shown to be filled in."""
Values: TypeAlias = Mapping[str, str]
NAMED = re.compile(r"\{([a-z][a-z_]*(?:\.[a-z_]+)?)\}")
_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def values_of(conversation: ConversationRow, order: Order | None, agent: str, platform: str) -> Values:
    """The values for a conversation; a variable without one is absent."""
    name = (conversation.contact_name or "").strip()
    found: dict[str, str | None] = {
        "contact.name": name,
        "contact.first_name": _first(name),
        "order.number": conversation.order if order is None else order.number,
        "agent.name": agent,
        "shop": conversation.account,
        "platform": platform,
        **_of_order(order),
    }
    return {name: value for name, value in found.items() if value}


def filled(text: str, values: Values) -> tuple[str, list[str]]:
    """The text with the values put in, and the names of what stays in braces, each once, in order.

    A value is put in as it is: braces in a customer's name are words of his, and name nothing.
    """
    missing: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        value = values.get(found.group(1))
        if value is None:
            missing[found.group(1)] = None
            return found.group()
        return value

    return NAMED.sub(put, text), list(missing)


def unfilled(text: str) -> list[str]:
    """Known variables that still stand in braces, each once: nobody means to send these."""
    return [name for name in dict.fromkeys(NAMED.findall(text)) if name in VARIABLES]


def _of_order(order: Order | None) -> dict[str, str | None]:
    if order is None:
        return {}
    shipment = _shipment(order.shipments)
    total = f"{order.total} {order.currency or ''}".strip() if order.total else None
    return {
        "order.status": order.status,
        "order.total": total,
        "order.item": order.items[0].title if order.items else None,
        "tracking.number": shipment.number if shipment else None,
        "tracking.carrier": shipment.carrier if shipment else None,
        "tracking.link": shipment.url if shipment else None,
    }


def _shipment(shipments: Sequence[Shipment]) -> Shipment | None:
    return next((one for one in reversed(shipments) if one.number), None)


def _first(name: str) -> str:
    """What one is called by: the whole name where the family's stands first."""
    return name if _EASTERN.search(name) else name.partition(" ")[0]


__all__ = ["NAMED", "VARIABLES", "Values", "filled", "unfilled", "values_of"]
