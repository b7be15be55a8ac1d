"""Many failed replies sent again by one order, each judged by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from actors.errors import RejectedError
from connectors.contract.outgoing import Objection
from services.errors import ConflictError
from services.people.permissions import Caller, demand
from services.replies.replies import ObjectedError, Replies
from storage.channel_records import ReplyFilter, ReplyRow
from storage.errors import FileMissingError

MOST = 500
PAGE = 500


class Retried(Struct, frozen=True, kw_only=True):
    """What became of one reply: `queued`, or why not."""

    reply: str
    outcome: Literal["queued", "objected", "refused"]
    reason: str | None = None
    objections: Sequence[Objection] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of each, and how many failed ones of the same filter were left for another order."""

    items: Sequence[Retried]
    left: int


async def retry_all(
    replies: Replies,
    caller: Caller,
    where: ReplyFilter,
    *,
    seen: Callable[[Sequence[str]], Awaitable[set[str]]],
    code: str | None = None,
    limit: int = MOST,
) -> Outcome:
    """Retry the failed replies of a filter (and of a `code`), the oldest first, `limit` at most.

    `seen`: which conversations of these the caller may see; replies of others are left alone.

    Of those that may have been sent none is retried: a person looks at each. Raises ForbiddenError, RejectedError,
    RetriableError.
    """
    demand(caller, "reply")
    if not 0 < limit <= MOST:
        raise RejectedError(f"limit: 1 to {MOST}")
    failed = await _failed(replies, where, code)
    shown = await seen([row.key for row in failed])
    failed = [row for row in failed if row.key in shown]
    items = [await _retried(replies, caller, row) for row in failed[:limit]]
    return Outcome(items=items, left=len(failed) - len(items))


async def _failed(replies: Replies, where: ReplyFilter, code: str | None) -> list[ReplyRow]:
    """The failed replies of a filter, the oldest first."""
    found: list[ReplyRow] = []
    cursor: str | None = None
    while True:
        page = await replies.page(replace(where, states=("failed",)), PAGE, cursor)
        found += [row for row in page.items if code is None or row.code == code]
        if (cursor := page.next) is None:
            return found[::-1]


async def _retried(replies: Replies, caller: Caller, row: ReplyRow) -> Retried:
    try:
        await replies.retry(caller, row.id)
    except ObjectedError as wrong:
        return Retried(reply=row.id, outcome="objected", reason=str(wrong), objections=wrong.objections)
    except (RejectedError, ConflictError, FileMissingError) as wrong:
        return Retried(reply=row.id, outcome="refused", reason=str(wrong))
    return Retried(reply=row.id, outcome="queued")


__all__ = ["Outcome", "Retried", "retry_all"]
