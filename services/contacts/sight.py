"""Whose eyes somebody has: the one place where contacts ask for it, until a process says otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from services.people.permissions import Caller
from storage.inbox_records import Scope

Sight: TypeAlias = Callable[[Caller], Awaitable[Scope]]


async def everything(_caller: Caller) -> Scope:
    """For processes without people: whoever may read messages may read all of them."""
    return Scope(everything=True)


__all__ = ["Sight", "everything"]
