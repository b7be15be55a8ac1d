"""Trying again in place: what is retriable is tried for ever, so that order is kept and nothing is dropped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from actors.errors import RetriableError

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0


class Patience:
    """Tries retriable calls until they work; `trouble` says what holds things up, None when nothing does."""

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}

    @property
    def trouble(self) -> str | None:
        """What is being tried again, and why."""
        return next(iter(self._troubles.values()), None)

    async def __call__(self, what: str, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of `attempt`, called again after each RetriableError; any other error is raised."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                answer = await attempt()
            except RetriableError as error:
                if what not in self._troubles:
                    logger.warning("%s is tried again until it works: %s", what, error)
                self._troubles[what] = f"{what}: {error}"
            except BaseException:
                self._troubles.pop(what, None)
                raise
            else:
                if self._troubles.pop(what, None) is not None:
                    logger.warning("%s works again", what)
                return answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
