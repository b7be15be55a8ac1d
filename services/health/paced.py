"""Readings that cost no more than their share: the dearer one is, the seldomer it is taken, within bounds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

SHARE = 0.02
"""The part of the time that one reading may take."""
JUDGED_BY = 3
"""A reading is as dear as the quickest of this many last times: the others may have waited for their turn only."""
SELDOMEST_S = 5.0
"""However dear, a reading is never older than this; one slow moment must not leave an old picture for long."""


class Paced(Generic[T]):
    """One reading, taken again when older than `least_s` and than its own duration / SHARE; never twice at once."""

    def __init__(self, read: Callable[[], Awaitable[T]], least_s: float) -> None:
        self._read = read
        self._least = least_s
        self._lock = asyncio.Lock()
        self._costs: deque[float] = deque(maxlen=JUDGED_BY)
        self._due = 0.0
        self._value: T | None = None
        self._taken = False

    async def get(self) -> T:
        """The latest value, read now if it is due. What the reading raises is raised, and tried again next time."""
        async with self._lock:
            began = monotonic()
            if not self._taken or began >= self._due:
                self._value = await self._read()
                self._taken = True
                ended = monotonic()
                self._costs.append(ended - began)
                cost = min(self._costs) if len(self._costs) == JUDGED_BY else 0.0
                self._due = ended + max(self._least, min(SELDOMEST_S, cost / SHARE))
            return self._value  # pyright: ignore[reportReturnType] # taken: T


__all__ = ["Paced"]
