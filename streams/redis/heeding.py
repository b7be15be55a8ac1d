"""Cancellation that is heeded: redis-py sends with `asyncio.wait_for`, which before Python 3.12 can swallow one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def heeding(answer: Awaitable[T]) -> T:
    """What `answer` gives or raises; CancelledError when this task was told to stop meanwhile, whatever came of it."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        return await answer
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


__all__ = ["heeding"]
