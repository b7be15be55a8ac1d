"""Runs an emulator on a socket: in a process of its own, or beside something else on its loop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn

from actors.errors import ConfigurationError
from emulator.app import Emulator

GRACE_S = 2
_STARTING_S = 0.01


class _Server(uvicorn.Server):
    """Uvicorn without its signal handling: whoever runs it decides when it stops."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0: any. Raises ConfigurationError."""
    try:
        sock = socket.create_server((host, port), backlog=256)
    except OSError as wrong:
        reason = f"the emulator cannot listen on {host} port {port}: {wrong.strerror or wrong}"
        raise ConfigurationError(f"{reason}; choose another with --host or --port") from wrong
    sock.setblocking(False)  # noqa: FBT003 # the standard library's own signature
    return sock


def address_of(sock: socket.socket) -> str:
    """Where it answers."""
    host, port = sock.getsockname()[:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def serving(
    emulator: Emulator, sock: socket.socket, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[str]:
    """Answer, push and live until the block ends; its address. `transport`: pushes' way. Raises ConfigurationError."""
    # A connection that breaks in the middle of an answer is a fault that was asked for; uvicorn would tell of it.
    logging.getLogger("uvicorn.error").addFilter(_wanted)
    settings = uvicorn.Config(
        emulator.app,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(settings)
    async with emulator.opened(address_of(sock), transport):
        answering = asyncio.create_task(server.serve(sockets=[sock]), name="emulator answers")
        try:
            while not server.started and not answering.done():  # noqa: ASYNC110 # the server has no event to wait for
                await asyncio.sleep(_STARTING_S)
            if answering.done():
                await answering
                raise ConfigurationError("the emulator did not start to answer; the log has the reason")
            living = asyncio.create_task(emulator.run(), name="emulator lives")
            try:
                yield address_of(sock)
            finally:
                living.cancel()
                await asyncio.gather(living, return_exceptions=True)
        finally:
            emulator.answering.closing.set()
            server.should_exit = True
            await answering


def _wanted(record: logging.LogRecord) -> bool:
    return "without completing response" not in record.getMessage()
