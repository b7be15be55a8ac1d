"""Conversations and their messages, as the inbox and the API read them."""

from typing import Protocol

from actors.keys import split_key
from services.copies import NAMESAKES_MOST, Copy, copies_of
from services.errors import NotFoundError
from storage.channel_ports import IdentityStore
from storage.channel_records import Identity
from storage.ports import InboxStore
from storage.records import ConversationFilter, ConversationRow, MessageRow, Page


class ConversationStore(InboxStore, IdentityStore, Protocol):
    """The parts of a store used here."""


class Conversations:
    """Reads conversations; keys are those of `actors.keys`."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    async def page(self, where: ConversationFilter, limit: int, cursor: str | None = None) -> Page[ConversationRow]:
        """One page, latest first; raises RejectedError for a bad cursor."""
        return await self._store.conversations(where, limit, cursor)

    async def one(self, key: str) -> ConversationRow:
        """One conversation; raises NotFoundError."""
        found = await self._store.conversation(key)
        if found is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        return found

    async def identities(self, key: str) -> list[Identity]:
        """Every name by which the platform knows the customer, the first heard first; none where it knows but one.

        Raises NotFoundError.
        """
        row = await self.one(key)
        platform, account, conversation = split_key(key)
        for name in (row.contact_id, conversation):
            if name is not None and (found := await self._store.aliases(platform, account, name)):
                return found
        return []

    async def messages(self, key: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of a conversation, oldest first; raises NotFoundError, or RejectedError for a bad cursor."""
        await self.one(key)
        return await self._store.messages(key, limit, cursor)

    async def messages_of_id(self, message: str) -> list[MessageRow]:
        """Messages with exactly this id in whatever conversation, the latest first, NAMESAKES_MOST at most."""
        return await self._store.messages_of_id(message, NAMESAKES_MOST)

    async def copies(self, key: str) -> list[Copy]:
        """Where else the customer's latest mail is, by channel. Raises NotFoundError."""
        await self.one(key)
        return await copies_of(self._store, key)

    async def message(self, key: str, message: str) -> MessageRow:
        """One message, merged ones too; raises NotFoundError."""
        found = await self._store.message(key, message)
        if found is None:
            raise NotFoundError(f"there is no message {message[:200]!r} in {key[:200]!r}")
        return found
