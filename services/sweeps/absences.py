"""Messages that Weir holds and a platform lists no more, although its listing names every message: recalled there.

What is concluded from an absence is concluded with care: only in conversations that the platform did list, where its
connector says that a listing is whole and nothing in it was unreadable, of messages that came from the platform itself,
and after the conversation was listed once more by itself. The message is marked and kept, with every version.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import TypeAlias

from actors.events import Delete, Message
from actors.keys import conversation_key
from connectors.contract.calling import Api
from connectors.contract.connector import Connector, Refused
from connectors.contract.history import Window
from services.arrivals.arrivals import Arrivals
from services.replies.composing import OWN
from services.sweeps.changes import SWEEP, is_recalled
from storage.ports import InboxStore
from storage.records import MessageRow

LATEST = 100
PAGE = 500
Listed: TypeAlias = Mapping[str, set[str]]
"""By conversation: ids of all messages that were listed, as Weir knows them."""
Names: TypeAlias = Collection[tuple[str, str]]
"""Messages by conversation and id."""


class Absences:
    """Finds what is listed no more."""

    def __init__(self, store: InboxStore, arrivals: Arrivals) -> None:
        self._store = store
        self._arrivals = arrivals

    async def found(self, connector: Connector, window: Window, listed: Listed, api: Api) -> list[Delete]:
        """What a whole listing of a window lacks. Raises the errors of `connectors.contract.calling`."""
        gone: list[Delete] = []
        for conversation, ids in listed.items():
            key = conversation_key(connector.platform, connector.binding.account, conversation)
            absent = [row for row in await self._held(key, window) if row.message not in ids and _is_theirs(row)]
            if absent:
                again = Window(since=window.since, until=window.until, conversation=conversation)
                there = await self._listed_again(connector, again, api)
                gone += [
                    _recalled(connector, conversation, row)
                    for row in absent
                    if there is not None and row.message not in there
                ]
        return gone

    async def recalled(
        self,
        connector: Connector,
        window: Window,
        there: Mapping[str, Container[str]],
        told: Iterable[str],
        just: Names,
    ) -> int:
        """How many messages of the conversations `told` of are recalled and not `there`, in a window.

        `just`: those that are not marked yet.
        """
        count = 0
        for conversation in told:
            key = conversation_key(connector.platform, connector.binding.account, conversation)
            listed = there.get(conversation, ())
            held = [row for row in await self._held(key, window) if row.message not in listed]
            count += sum(is_recalled(row) or (conversation, row.message) in just for row in held)
        return count

    async def _held(self, key: str, window: Window) -> Sequence[MessageRow]:
        """The messages of a conversation that were sent within a window."""
        rows: Sequence[MessageRow] = await self._store.latest_messages(key, LATEST)
        if len(rows) == LATEST and rows[-1].sent_at >= window.since:
            rows, cursor = [], None
            while True:
                page = await self._store.messages(key, PAGE, cursor)
                rows = [*rows, *(row for row in page.items if window.since <= row.sent_at < window.until)]
                cursor = page.next
                if cursor is None or (page.items and page.items[-1].sent_at >= window.until):
                    break
        return [row for row in rows if window.since <= row.sent_at < window.until]

    async def _listed_again(self, connector: Connector, window: Window, api: Api) -> set[str] | None:
        """Ids of everything that a conversation's own listing tells of; None when it cannot be read as a whole."""
        ids: set[str] = set()
        told = 0
        async with aclosing(connector.history(window, api)) as pages:  # pyright: ignore[reportArgumentType] # closed when left early, as the contract says
            async for page in pages:
                for one in await self._arrivals.identified(connector, page):
                    if isinstance(one, Refused):
                        return None
                    told += isinstance(one, Message)
                    if (message := getattr(one, "message", None)) is not None:
                        ids.add(message)
        return ids if told else None


def _is_theirs(row: MessageRow) -> bool:
    """Whether a message came from the platform, so that the platform must list it as long as it is not recalled.

    Replies of ours are judged by their receipts, and what a program sent over the API may never have been there.
    """
    return row.via is not None and not row.message.startswith(OWN) and not is_recalled(row)


def _recalled(connector: Connector, conversation: str, row: MessageRow) -> Delete:
    name = sha256(f"{conversation}/{row.message}".encode()).hexdigest()[:32]
    return Delete(
        platform=connector.platform,
        account=connector.binding.account,
        conversation=conversation,
        message=row.message,
        event=f"swept/{name}/{len(row.versions)}/absent",
        extra={"found_by": SWEEP, "absent": True},
    )


__all__ = ["Absences"]
