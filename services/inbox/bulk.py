"""One thing done to many conversations: each by itself, and what happened is told one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeAlias, get_args

from msgspec import UNSET, Struct, UnsetType

from actors.errors import RejectedError, WeirError
from services.errors import ConflictError, NotFoundError
from services.inbox.desk import Desk
from services.inbox.errors import TakenError
from services.inbox.listing import Inbox
from services.people.permissions import Caller, demand
from storage.records import ConversationRow

MOST = 500
Deed: TypeAlias = Literal["assign", "label", "close", "reopen", "archive", "unarchive", "snooze", "wake"]
DEEDS: tuple[Deed, ...] = get_args(Deed)


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be done with these; the further fields belong to the deed."""

    keys: list[str]
    do: str
    assignee: str | UnsetType | None = UNSET
    team: str | UnsetType | None = UNSET
    until: int | None = None
    add: list[str] = []
    remove: list[str] = []


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one: `done` with the row as it is now, or why not (`gone`, `conflict`, `refused`)."""

    key: str
    state: Literal["done", "gone", "conflict", "refused"]
    row: ConversationRow | None = None
    reason: str = ""


Labeller: TypeAlias = Callable[[Caller, str, Sequence[str], Sequence[str]], Awaitable[Any]]


class Bulk:
    """`label` puts labels on one conversation and takes others away; without it nothing can be labelled."""

    def __init__(self, inbox: Inbox, desk: Desk, label: Labeller | None = None) -> None:
        self._inbox = inbox
        self._desk = desk
        self._label = label

    async def do(self, caller: Caller, wish: Wish) -> list[Outcome]:
        """In the order of the keys. Raises RejectedError for a wish that fits nothing, ForbiddenError."""
        deed = _checked(wish)
        demand(caller, "label" if deed == "label" else "assign")
        keys = list(dict.fromkeys(wish.keys))
        if deed in {"close", "reopen"}:
            return await self._act(caller, keys, "closed" if deed == "close" else "reopened")
        return [await self._one(caller, key, deed, wish) for key in keys]

    async def _act(self, caller: Caller, keys: Sequence[str], what: Literal["closed", "reopened"]) -> list[Outcome]:
        """All in one batch of the log."""
        seen = {row.key: row for row in await self._inbox.seen_rows(caller, keys)}
        wanted = "closed" if what == "closed" else "open"
        changed = [row for row in seen.values() if row.status != wanted]
        done = {row.key: row for row in await self._desk.act(caller, changed, what)} if changed else {}
        return [
            Outcome(key=key, state="done", row=done.get(key, seen[key])) if key in seen else _gone(key) for key in keys
        ]

    async def _one(self, caller: Caller, key: str, deed: Deed, wish: Wish) -> Outcome:
        try:
            row = await self._done(caller, key, deed, wish)
        except NotFoundError:
            return _gone(key)
        except TakenError as wrong:
            return Outcome(key=key, state="conflict", row=wrong.row, reason=str(wrong))
        except ConflictError as wrong:
            return Outcome(key=key, state="conflict", reason=str(wrong))
        except RejectedError as wrong:
            return Outcome(key=key, state="refused", reason=str(wrong))
        return Outcome(key=key, state="done", row=row)

    async def _done(self, caller: Caller, key: str, deed: Deed, wish: Wish) -> ConversationRow:
        match deed:
            case "assign":
                return await self._desk.assign(caller, key, assignee=wish.assignee, team=wish.team)
            case "snooze":
                return await self._desk.snooze(caller, key, wish.until or 0)
            case "wake":
                return await self._desk.set(caller, key, "conversation.woken", snoozed_until=None)
            case "label":
                if self._label is None:
                    raise RejectedError("labels cannot be put on here")
                await self._inbox.seen(caller, key)
                await self._label(caller, key, wish.add, wish.remove)
                return await self._inbox.seen(caller, key)
            case "archive" | "unarchive":
                return await self._desk.archive(caller, key, archived=deed == "archive")
            case _:
                raise WeirError(f"{deed} is done by batch")


def _checked(wish: Wish) -> Deed:
    for one in DEEDS:
        if one == wish.do:
            deed = one
            break
    else:
        raise RejectedError(f"do: one of {', '.join(DEEDS)}")
    if not 0 < len(wish.keys) <= MOST:
        raise RejectedError(f"keys: 1 to {MOST} conversations")
    if deed == "assign" and wish.assignee is UNSET and wish.team is UNSET:
        raise RejectedError("assign: give `assignee`, `team` or both; null takes it away")
    if deed == "snooze" and wish.until is None:
        raise RejectedError("snooze: give `until`")
    if deed == "label" and not wish.add and not wish.remove:
        raise RejectedError("label: give `add`, `remove` or both")
    return deed


def _gone(key: str) -> Outcome:
    return Outcome(key=key, state="gone", reason="there is no such conversation")


__all__ = ["DEEDS", "MOST", "Bulk", "Outcome", "Wish"]
