"""Puts together what a connector sends: a reply with what the platform wants to know of its conversation.

Ids of replies are Weir's own; a connector is given the platform's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias, cast

from connectors.contract.connector import Connector
from connectors.contract.outgoing import Outgoing, OutgoingFile
from storage.channel_ports import FileStore, OutboxStore
from storage.channel_records import ReplyFile, ReplyRow
from storage.errors import FileMissingError
from storage.ports import InboxStore
from storage.records import MessageRow

Address: TypeAlias = Callable[[str, ReplyFile], Awaitable[str | None]]
"""Gives where a platform may fetch a file, if it can, from the address by which the platform knows this Weir."""
Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
"""Gives the connector of a bound channel, by platform and account. Raises ConfigurationError."""
OWN = "weir-"
"""How ids of replies begin."""
LATEST = 50
FARTHEST = 500
THREAD = 20


class ComposerStore(OutboxStore, InboxStore, Protocol):
    """The parts of a store used here."""


class Composer:
    """Makes an `Outgoing` of a reply; without `address` no platform can fetch a file."""

    def __init__(
        self,
        store: ComposerStore,
        files: FileStore | None = None,
        address: Address | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._address = address

    async def outgoing(self, row: ReplyRow, connector: Connector) -> Outgoing:
        """The reply for its connector. Raises RetriableError, or FileMissingError without a place for files."""
        latest = await self._store.latest_messages(row.key, LATEST)
        heard = _heard(latest)
        if heard is None and len(latest) == LATEST:
            heard = _heard(await self._store.latest_messages(row.key, FARTHEST))
        extra = _extra(heard)
        subject = extra.get("subject")
        recipient = None if heard is None else heard.sender_id
        return Outgoing(
            id=row.id,
            conversation=row.conversation,
            at=row.at,
            text=row.text,
            recipient=row.recipient if recipient is None else recipient,
            reply_to=None if row.reply_to is None else await self._theirs(row.reply_to),
            order=row.order,
            last_in_at=None if heard is None else heard.sent_at,
            thread=await self._thread(row, latest),
            subject=subject if isinstance(subject, str) else None,
            extra=extra,
            files=[await self._file(file, connector.binding.url) for file in row.files],
        )

    async def _thread(self, row: ReplyRow, latest: Sequence[MessageRow]) -> list[str]:
        named = [one.message for one in latest if one.message != row.id][:THREAD]
        theirs = [await self._theirs(message) for message in reversed(named)]
        return [message for message in theirs if message is not None]

    async def _theirs(self, message: str) -> str | None:
        """The platform's id of a message; None for a reply of which it told none."""
        if not message.startswith(OWN):
            return message
        held = await self._store.reply(message)
        return message if held is None else held.platform_message

    async def _file(self, file: ReplyFile, url: str) -> OutgoingFile:
        if self._files is None:
            raise FileMissingError("this process has no place where files are kept; set the same as where they came in")
        return OutgoingFile(
            name=file.name,
            mime=file.mime,
            size=file.size,
            digest=file.digest,
            read=partial(self._files.file, file.digest),
            url=await self._address(url, file) if self._address else None,
        )


def _heard(latest: Sequence[MessageRow]) -> MessageRow | None:
    """The customer's latest message."""
    return next((one for one in latest if one.direction == "in" and one.sender_role in {None, "customer"}), None)


def _extra(heard: MessageRow | None) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", heard.extra) if heard is not None and isinstance(heard.extra, dict) else {}


__all__ = ["OWN", "Address", "Composer", "ComposerStore", "Find"]
