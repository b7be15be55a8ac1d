"""How far a customer has our messages, where the platform names a time and none of the messages.

A reply counts from the moment it was asked for, once the platform has it; what is on its way is in no position yet, and
the next one that is told stands for it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.events import Receipt
from actors.keys import conversation_key
from connectors.contract.connector import Connector, UpTo
from services.replies.composing import OWN
from storage.channel_ports import OutboxStore
from storage.channel_records import ReplyFilter
from storage.ports import InboxStore

LATEST = 100
"""So many of a conversation's latest replies, and messages, are looked at."""
MEANS = {"delivered": {"delivered", "read"}, "read": {"read"}}
"""What makes a position no news."""


class PositionStore(OutboxStore, InboxStore, Protocol):
    """The parts of a store used here."""


async def reached(store: PositionStore, connector: Connector, position: UpTo) -> tuple[list[Receipt], list[Receipt]]:
    """Receipts of what a position covers and nobody told: of replies of ours, and of what was written elsewhere.

    Both name the messages as Weir does. Raises RetriableError.
    """
    platform, account = connector.platform, connector.binding.account
    key = conversation_key(platform, account, position.conversation)

    def receipts(names: Sequence[str]) -> list[Receipt]:
        return [
            Receipt(
                platform=platform,
                account=account,
                conversation=position.conversation,
                message=name,
                status=position.status,
                event=f"{name}/{position.status}",
            )
            for name in names
        ]

    replies = (await store.replies(ReplyFilter(key=key, states=("sent",)), LATEST)).items
    known = MEANS[position.status]
    ours = [row.id for row in replies if row.at <= position.at and not known & set(row.heard)]
    others = [
        row.message
        for row in await store.latest_messages(key, LATEST)
        if row.direction == "out"
        and not row.message.startswith(OWN)
        and row.sent_at <= position.at
        and not known & set(row.hops)
    ]
    return receipts(ours), receipts(others)


__all__ = ["PositionStore", "reached"]
