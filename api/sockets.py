"""What every socket of the API does: hear and tell until one side ends, and close with a code that says why."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import WebSocket

FORBIDDEN, TOO_LONG, TOO_MANY, BAD_FRAME, RESTART = 4403, 4413, 4429, 4400, 1012


class EndError(Exception):
    """The socket is to be closed, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def frame_of(socket: WebSocket, longest: int) -> str:
    """The next frame; raises EndError for one of more than `longest` characters."""
    raw = await socket.receive_text()
    if len(raw) > longest:
        raise EndError(TOO_LONG)
    return raw


async def until_either(*sides: Coroutine[Any, Any, None]) -> None:
    """Hear and tell until one of the sides ends; raises why."""
    tasks = [asyncio.create_task(side) for side in sides]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
