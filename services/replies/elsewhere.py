"""A mail that came to several of one's own mailboxes and was answered from one waits in the others for nobody.

Where a mailbox wants that (`close_answered`), its conversation is closed, by the event that a click of whoever answered
would be: the clocks there end, and what the customer writes next opens it again. The event has a key made of the
reply's, so that whoever tells of the reply once more closes nothing that was opened since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.errors import ConfigurationError, RejectedError
from actors.events import Action
from actors.keys import conversation_key, split_key
from connectors.contract.asking import says_yes
from services.copies import Copy, copies_of
from services.replies.composing import Find
from storage.channel_records import ReplyRow
from storage.ports import AccountStore, InboxStore
from storage.records import AuditRow

SETTING = "close_answered"


class ElsewhereStore(InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Elsewhere:
    """Closes what was answered in another mailbox. `find` gives a bound channel's connector."""

    def __init__(self, store: ElsewhereStore, find: Find) -> None:
        self._store = store
        self._find = find

    async def closings(self, reply: ReplyRow, now: int) -> Sequence[Action]:
        """What ends with a reply that was sent; `now` in ms. Raises RetriableError."""
        found = await copies_of(self._store, reply.key, until=reply.at)
        return [_closing(reply, one, now) for one in found if await self._waits(one)]

    async def note(self, closings: Sequence[Action], now: int) -> None:
        """Note those that the log was told of. Raises RetriableError."""
        for one in closings:
            key = conversation_key(one.platform, one.account, one.conversation or "")
            note = AuditRow(at=now, who=one.agent or "weir", what="conversation.closed", subject=key)
            await self._store.append_audit(note)

    async def _waits(self, copy: Copy) -> bool:
        """Whether nobody answered there, the customer asked nothing more there, and the mailbox wants it closed."""
        if copy.answered_at is not None or not copy.last:
            return False
        row = await self._store.conversation(copy.key)
        return row is not None and row.status == "open" and await self._wanted(row.platform, row.account)

    async def _wanted(self, platform: str, account: str) -> bool:
        try:
            connector = await self._find(platform, account)
            return connector is not None and says_yes(connector.binding, SETTING)
        except (ConfigurationError, RejectedError):
            # A mailbox that cannot be used now wants nothing.
            return False


def _closing(reply: ReplyRow, copy: Copy, now: int) -> Action:
    platform, account, conversation = split_key(copy.key)
    return Action(
        platform=platform,
        account=account,
        conversation=conversation,
        what="closed",
        agent=reply.who,
        at=now,
        event=f"{reply.id}/answered/{conversation}",
    )


__all__ = ["SETTING", "Elsewhere", "ElsewhereStore"]
