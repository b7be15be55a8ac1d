"""Conversations and their messages, as the inbox and the API read them."""

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.keys import channel_key, split_key
from services.errors import NotFoundError
from storage.channel_ports import IdentityStore
from storage.channel_records import Identity
from storage.ports import InboxStore
from storage.records import ConversationFilter, ConversationRow, MessageRow, Page

NAMESAKES_MOST = 20
"""Platforms number their messages each on their own: an id may be one of several conversations."""


MAILBOXES = frozenset({"email", "amazon"})
"""Platforms whose messages have the same id in whatever mailbox of one's own they came to."""
LATEST = 50


class Copy(Struct, frozen=True, kw_only=True):
    """The same mail in another mailbox: its conversation there, and when (ms) and by whom it was answered there."""

    key: str
    channel: str
    answered_at: int | None = None
    who: str | None = None


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
        """Where else the customer's latest mail is, by channel; none on platforms that have no mails.

        Raises NotFoundError.
        """
        if (await self.one(key)).platform not in MAILBOXES:
            return []
        said = await self._store.latest_messages(key, LATEST)
        mail = next((one for one in said if one.direction == "in"), None)
        if mail is None:
            return []
        named = await self._store.messages_of_id(mail.message, NAMESAKES_MOST)
        found = [await self._copy(one) for one in named if one.key != key and _is_same(one, mail)]
        return sorted(found, key=lambda one: one.key)

    async def _copy(self, mail: MessageRow) -> Copy:
        said = await self._store.latest_messages(mail.key, LATEST)
        answer = next((one for one in said if _is_answer(one) and one.sent_at >= mail.sent_at), None)
        platform, account, _ = split_key(mail.key)
        copy = Copy(key=mail.key, channel=channel_key(platform, account))
        return copy if answer is None else replace(copy, answered_at=answer.sent_at, who=answer.sender_name)

    async def message(self, key: str, message: str) -> MessageRow:
        """One message, merged ones too; raises NotFoundError."""
        found = await self._store.message(key, message)
        if found is None:
            raise NotFoundError(f"there is no message {message[:200]!r} in {key[:200]!r}")
        return found


def _is_same(one: MessageRow, mail: MessageRow) -> bool:
    """Whether that is the mail too: another one may have its id, of another sender."""
    return split_key(one.key)[0] in MAILBOXES and (one.direction, one.sender_id) == ("in", mail.sender_id)


def _is_answer(one: MessageRow) -> bool:
    """Whether a person answered: not what a program sends by itself, nor what is known not to have arrived."""
    arrived = "failed" not in one.hops or bool({"delivered", "read"} & one.hops.keys())
    return one.direction == "out" and one.sender_role in {None, "agent"} and arrived
