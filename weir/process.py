"""One process from its first to its last breath: parts up, web up, wait for a signal, all down in order."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from socket import socket
from typing import Any

import structlog
import uvloop

from weir.config import ADDRESSES, Config, shown_value
from weir.logs import configure_logs
from weir.server import address_of, bind, serving, stop_signals
from weir.version import VERSION
from weir.wiring import Role, RoleName, opened_role

Announce = Callable[[str, str | None], None]
"""Told (address, password of the first admin or None) once requests are answered."""
Companion = Callable[[Any, str], Awaitable[None]]
"""Runs beside the server, given the role and the address, until the process stops."""
SWITCH_S = 0.0005
"""How long a thread may keep the interpreter from the event loop: writers build rows beside it."""
_log = structlog.get_logger(__name__)


def run_process(
    config: Config,
    *,
    role: RoleName = "serve",
    announce: Announce,
    companion: Companion | None = None,
    further_ports: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError when it cannot start."""
    configure_logs(config.log_format, config.log_level)
    sys.setswitchinterval(SWITCH_S)
    port = config.worker_port if role == "worker" else config.port
    sock = bind(config.host, port, further=further_ports)
    try:
        uvloop.run(_Life(config, role, announce, companion).live(sock))
    finally:
        sock.close()


class _Life:
    """One process, from the sockets on."""

    def __init__(self, config: Config, role: RoleName, announce: Announce, companion: Companion | None) -> None:
        self._config = config
        self._role: RoleName = role
        self._announce = announce
        self._companion = companion

    async def live(self, sock: socket) -> None:
        """Start, answer, stop."""
        async with AsyncExitStack() as stack:
            stop = stack.enter_context(stop_signals(self._config.shutdown_s))
            weir = await stack.enter_async_context(opened_role(self._config, self._role))
            stack.push_async_callback(weir.stop)
            if self._role == "worker":
                # Its probes answer while it waits for its share of the partitions; screens wait for their data instead.
                await stack.enter_async_context(serving(weir.web(), self._config, sock))
                started = await _unless(stop, weir.start())
            else:
                started = await _unless(stop, weir.start())
                if started:
                    await stack.enter_async_context(serving(weir.web(), self._config, sock))
            if started:
                await self._work(weir, address_of(sock), stop)
            weir.vitals.accepting = False
            _log.info("Weir is stopping")
        _log.info("Weir has stopped; everything accepted is safe")

    async def _work(self, weir: Role, address: str, stop: asyncio.Event) -> None:
        self._announce(address, weir.first_password)
        parts = {name: shown_value(name, getattr(self._config, name)) for name in ADDRESSES}
        _log.info("Weir is up", role=self._role, version=VERSION, listening=address, **parts)
        beside = asyncio.create_task(self._beside(weir, address), name="companion")
        await stop.wait()
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)

    async def _beside(self, weir: Role, address: str) -> None:
        if self._companion is None:
            return
        try:
            await self._companion(weir, address)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 # whatever it was, the server itself is sound
            _log.exception("what ran beside the server has failed; the server goes on")


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Do the work; False when a signal to stop came before it was done. What it raises is raised."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        await working
        return True
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return False
