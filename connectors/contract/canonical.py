"""Events held to what the gateway holds everybody's to, and the receipt that our own message's echo stands for."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from actors.errors import RejectedError
from actors.events import Event, Message, Receipt
from actors.intake import parse_event
from actors.keys import escape
from connectors.contract.connector import UnreadableError


def canonical(events: Iterable[Event]) -> list[Event]:
    """The events as the gateway will have them. Raises UnreadableError when it would refuse one of them."""
    return [_held(event) for event in events]


def taken(message: Message) -> Receipt:
    """The `accepted` receipt of our own message: a platform that shows it to us holds it.

    Its key is the same however often the message is shown.
    """
    return Receipt(
        platform=message.platform,
        account=message.account,
        conversation=message.conversation,
        message=message.message,
        status="accepted",
        event=f"{escape(message.conversation)}/{message.message}/accepted",
    )


def _held(event: Event) -> Event:
    try:
        return parse_event(msgspec.json.encode(event), need_at=False)
    except RejectedError as wrong:
        raise UnreadableError(str(wrong)) from wrong
