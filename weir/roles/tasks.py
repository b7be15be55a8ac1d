"""What runs beside the main work of a process until it stops; a part that fails says so."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


class Tasks:
    """The background tasks of one process."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Let it run until `stop`."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_say_when_failed)
        self._tasks.append(task)

    async def stop(self) -> None:
        """End them all; returns when they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


def _say_when_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("a part of Weir has failed; restart Weir", part=task.get_name(), exc_info=error)


__all__ = ["Tasks"]
