"""The same mail in several mailboxes of one's own: where else it is, and whether somebody answered it there."""

from msgspec import Struct

from actors.keys import channel_key, split_key
from storage.ports import InboxStore
from storage.records import MessageRow

MAILBOXES = frozenset({"email", "amazon"})
"""Platforms whose messages have the same id in whatever mailbox of one's own they came to."""
LATEST = 50
NAMESAKES_MOST = 20
"""Platforms number their messages each on their own: an id may be one of several conversations."""
_NEVER = 1 << 62


class Copy(Struct, frozen=True, kw_only=True):
    """The same mail in another mailbox: its conversation there, and when (ms) and by whom it was answered there.

    `last`: the customer said nothing there since.
    """

    key: str
    channel: str
    answered_at: int | None = None
    who: str | None = None
    last: bool = False


async def copies_of(store: InboxStore, key: str, until: int = _NEVER) -> list[Copy]:
    """Where else the customer's latest mail is, of those sent until then (ms); by channel.

    None on platforms that have no mails. Raises RetriableError.
    """
    if split_key(key)[0] not in MAILBOXES:
        return []
    said = await store.latest_messages(key, LATEST)
    mail = next((one for one in said if _is_asked(one) and one.sent_at <= until), None)
    if mail is None:
        return []
    named = await store.messages_of_id(mail.message, NAMESAKES_MOST)
    found = [await _copy(store, one) for one in named if one.key != key and _is_same(one, mail)]
    return sorted(found, key=lambda one: one.key)


async def _copy(store: InboxStore, mail: MessageRow) -> Copy:
    said = await store.latest_messages(mail.key, LATEST)
    answer = next((one for one in said if _is_answer(one) and one.sent_at >= mail.sent_at), None)
    asked = next((one.message for one in said if _is_asked(one)), None)
    platform, account, _ = split_key(mail.key)
    return Copy(
        key=mail.key,
        channel=channel_key(platform, account),
        answered_at=None if answer is None else answer.sent_at,
        who=None if answer is None else answer.sender_name,
        last=asked == mail.message,
    )


def _is_same(one: MessageRow, mail: MessageRow) -> bool:
    """Whether that is the mail too: another one may have its id, of another sender."""
    return split_key(one.key)[0] in MAILBOXES and (one.direction, one.sender_id) == ("in", mail.sender_id)


def _is_asked(one: MessageRow) -> bool:
    return one.direction == "in" and one.sender_role in {None, "customer"}


def _is_answer(one: MessageRow) -> bool:
    """Whether a person answered: not what a program sends by itself, nor what is known not to have arrived."""
    arrived = "failed" not in one.hops or bool({"delivered", "read"} & one.hops.keys())
    return one.direction == "out" and one.sender_role in {None, "agent"} and arrived


__all__ = ["MAILBOXES", "NAMESAKES_MOST", "Copy", "copies_of"]
