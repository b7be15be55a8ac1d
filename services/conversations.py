"""Conversations and their messages, as the inbox and the API read them."""

from services.errors import NotFoundError
from storage.ports import InboxStore
from storage.records import ConversationFilter, ConversationRow, MessageRow, Page

NAMESAKES_MOST = 20
"""Platforms number their messages each on their own: an id may be one of several conversations."""


class Conversations:
    """Reads conversations; keys are those of `actors.keys`."""

    def __init__(self, store: InboxStore) -> None:
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

    async def messages(self, key: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of a conversation, oldest first; raises NotFoundError, or RejectedError for a bad cursor."""
        await self.one(key)
        return await self._store.messages(key, limit, cursor)

    async def messages_of_id(self, message: str) -> list[MessageRow]:
        """Messages with exactly this id in whatever conversation, the latest first, NAMESAKES_MOST at most."""
        return await self._store.messages_of_id(message, NAMESAKES_MOST)

    async def message(self, key: str, message: str) -> MessageRow:
        """One message, merged ones too; raises NotFoundError."""
        found = await self._store.message(key, message)
        if found is None:
            raise NotFoundError(f"there is no message {message[:200]!r} in {key[:200]!r}")
        return found
