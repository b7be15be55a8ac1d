"""What platforms tell of our own replies finds the reply it is about, under the id that the reply has in Weir.

A reply is known by Weir's id from before it is sent; the platform's own id comes with the answer to the sending, or
with an echo when that answer was lost. So that nothing falls between two chairs, what is on its way is read *first* and
the platform's ids after it: a reply that has left the former by then is in the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec
from msgspec.structs import replace

from actors.events import AttachmentStatus, Checkpoint, Delete, Edit, Event, Message, Receipt
from actors.keys import conversation_key
from connectors.contract.canonical import taken
from connectors.contract.connector import Connector, UpTo
from services.replies.events import accepted_key
from services.replies.matches import is_echo
from services.replies.positions import reached
from services.replies.proofs import Proofs
from storage.channel_ports import OutboxStore
from storage.channel_records import ParkedReceipt, ReplyFilter, ReplyRow
from storage.ports import AccountStore, InboxStore

ON_ITS_WAY_MS = 10 * 60_000
"""How long after a sending began its receipts may still come before its id."""
LATEST = 20
ATTEMPTS = 5


class EchoStore(OutboxStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Echoes:
    """Knows which messages and receipts of a platform are about our own replies; `now` in ms."""

    def __init__(self, store: EchoStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._proofs = Proofs(store, now)

    async def settled(self, connector: Connector, events: Sequence[Event]) -> list[Event]:
        """The events with our replies under their own ids, without echoes of them and without what must wait.

        Raises RetriableError; then the same events may be given again.
        """
        named = list(dict.fromkeys(message for event in events for message in _named(event)))
        if not connector.capabilities.sends or not named:
            return list(events)
        platform, account = connector.platform, connector.binding.account
        waiting = await self._waiting(platform, account, events)
        ours = await self._store.reply_ids(platform, account, named)
        for event in events:
            if isinstance(event, Message) and event.direction == "out" and event.message not in ours:
                reply = await self._recognised(event, waiting[event.conversation])
                if reply is not None:
                    ours[event.message] = reply
        return await self._told(events, ours, waiting)

    async def reached(self, connector: Connector, positions: Sequence[UpTo]) -> list[Event]:
        """Receipts of what positions of a customer's cover, under the ids of Weir. Raises RetriableError."""
        told: list[Event] = []
        for position in positions:
            ours, others = await reached(self._store, connector, position)
            told += [*ours, *others, *await self._proofs.heard(ours)]
        return told

    async def _waiting(self, platform: str, account: str, events: Sequence[Event]) -> dict[str, list[ReplyRow]]:
        """By conversation: the replies of which nobody knows the platform's id yet."""
        found: dict[str, list[ReplyRow]] = {}
        for event in events:
            if not isinstance(event, Receipt | Message) or event.conversation in found:
                continue
            if isinstance(event, Message) and event.direction == "in":
                continue
            key = conversation_key(platform, account, event.conversation)
            rows = await self._store.unsettled_replies(key)
            page = await self._store.replies(ReplyFilter(key=key, states=("queued", "sent")), LATEST)
            late = [row for row in page.items if _may_be_shown(row)]
            found[event.conversation] = [*rows, *sorted(late, key=lambda row: (row.at, row.id))]
        return found

    async def _recognised(self, message: Message, waiting: list[ReplyRow]) -> str | None:
        """The reply that this message is, by its words and its time; it is noted as sent."""
        for row in waiting:
            if is_echo(message, row) and await self._note(row, message):
                waiting.remove(row)
                return row.id
        return None

    async def _note(self, row: ReplyRow, message: Message) -> bool:
        """Note that the platform has it under this id; False when it is known under another by now."""
        held: ReplyRow | None = row
        for _ in range(ATTEMPTS):
            if held is None or not _may_be_shown(held):
                return held is not None and held.platform_message == message.message
            sent = replace(
                held,
                state="sent",
                platform_message=message.message,
                settled_at=self._now(),
                code=None,
                reason=None,
                told=held.told and held.state == "sent",
                version=held.version + 1,
            )
            if await self._store.change_reply(sent, replaces=held.version):
                return True
            held = await self._store.reply(row.id)
        return False

    async def _told(
        self, events: Sequence[Event], ours: Mapping[str, str], waiting: Mapping[str, Sequence[ReplyRow]]
    ) -> list[Event]:
        with_fate = {event.message for event in events if isinstance(event, Receipt)}
        shown = {event.message for event in events if isinstance(event, Message)}
        told: list[Event] = []
        heard: list[Receipt] = []
        for event in events:
            match event:
                case Message(direction="out") if event.message in ours:
                    if event.message not in with_fate:
                        told.append(_accepted(event, ours[event.message]))
                case Message():
                    told.append(_with_reply_to(event, ours))
                case Receipt() if event.message not in ours and event.message not in shown:
                    if not await self._parked(event, waiting[event.conversation]):
                        told.append(event)
                case Receipt() if event.message in ours:
                    heard.append(replace(event, message=ours[event.message]))
                    told.append(heard[-1])
                case Receipt() | Edit() | Delete() | AttachmentStatus():
                    told.append(replace(event, message=ours.get(event.message, event.message)))
                case Checkpoint() if event.messages:
                    told.append(replace(event, messages=[ours.get(one, one) for one in event.messages]))
                case _:
                    told.append(event)
        return [*told, *await self._proofs.heard(heard)]

    async def _parked(self, receipt: Receipt, waiting: Sequence[ReplyRow]) -> bool:
        """Keep a receipt that may have overtaken the answer to a sending; the outbox lets it go within a minute."""
        now = self._now()
        if not any(_is_on_its_way(row, now) for row in waiting):
            return False
        key = conversation_key(receipt.platform, receipt.account, receipt.conversation)
        if await self._store.message(key, receipt.message) is not None:
            return False
        body = msgspec.json.encode(receipt)
        parked = ParkedReceipt(
            platform=receipt.platform,
            account=receipt.account,
            message=receipt.message,
            id=receipt.event or f"parked-{sha256(body).hexdigest()}",
            at=now,
            body=body,
        )
        await self._store.park_receipt(parked)
        return True


def _accepted(echo: Message, reply: str) -> Receipt:
    """An echo without a fate stands for one: the platform has it. Its key is that of the outbox's own receipt."""
    return replace(taken(echo), message=reply, event=accepted_key(reply))


def _named(event: Event) -> Sequence[str]:
    """The messages that an event names and that may be ours."""
    match event:
        case Message():
            replied = () if event.reply_to is None else (event.reply_to,)
            return (event.message, *replied) if event.direction == "out" else replied
        case Receipt() | Edit() | Delete() | AttachmentStatus():
            return (event.message,)
        case Checkpoint():
            return event.messages or ()
        case _:
            return ()


def _with_reply_to(message: Message, ours: Mapping[str, str]) -> Message:
    """A customer who quotes our reply names the platform's id of it."""
    if message.reply_to is None or message.reply_to not in ours:
        return message
    return replace(message, reply_to=ours[message.reply_to])


def _may_be_shown(row: ReplyRow) -> bool:
    """Whether the platform may show this reply under an id that nobody has told yet."""
    match row.state:
        case "claimed" | "unknown":
            return True
        case "queued":
            return row.doubts > 0
        case "sent":
            return row.platform_message is None
        case "new" | "failed":
            return False


def _is_on_its_way(row: ReplyRow, now: int) -> bool:
    began = row.at if row.claimed_at is None else row.claimed_at
    return _may_be_shown(row) and now - began <= ON_ITS_WAY_MS


__all__ = ["EchoStore", "Echoes"]
