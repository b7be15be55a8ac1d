"""Which conversations somebody may see: the one place where contacts ask for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from services.people.permissions import Caller
from storage.records import ConversationRow

Sees: TypeAlias = Callable[[ConversationRow], bool]
Sight: TypeAlias = Callable[[Caller], Awaitable[Sees]]


async def everything(_caller: Caller) -> Sees:
    """Whoever may read messages may read all of them."""
    return lambda _row: True


__all__ = ["Sees", "Sight", "everything"]
