"""One process from its first to its last breath: parts up, web up, wait for a signal, all down in order."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import structlog
import uvloop

from weir.config import Config
from weir.logs import configure_logs
from weir.server import address_of, bind, serving, stop_signals
from weir.wiring import Weir, running

Announce = Callable[[str, str | None], None]
"""Told (address, password of the first admin or None) once requests are answered."""
Companion = Callable[[Weir, str], Awaitable[None]]
"""Runs beside the server, given the parts and the address, until the process stops."""
SWITCH_S = 0.0005
"""How long a thread may keep the interpreter from the event loop: writers build rows beside it."""
_log = structlog.get_logger(__name__)


def run_process(
    config: Config, *, announce: Announce, companion: Companion | None = None, further_ports: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError when it cannot start."""
    configure_logs(config.log_format, config.log_level)
    sys.setswitchinterval(SWITCH_S)
    uvloop.run(_serve(config, announce, companion, further_ports=further_ports))


async def _serve(config: Config, announce: Announce, companion: Companion | None, *, further_ports: bool) -> None:
    sock = bind(config.host, config.port, further=further_ports)
    async with AsyncExitStack() as stack:
        stack.callback(sock.close)
        stop = stack.enter_context(stop_signals(config.shutdown_s))
        weir = await stack.enter_async_context(running(config))
        await stack.enter_async_context(serving(weir.web(), config, sock))
        address = address_of(sock)
        announce(address, weir.first_password)
        _log.info("Weir is up", data=config.data_dir, listening=address)
        beside = asyncio.create_task(_beside(companion, weir, address), name="companion") if companion else None
        await stop.wait()
        weir.vitals.accepting = False
        _log.info("Weir is stopping")
        if beside:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
    _log.info("Weir has stopped; everything accepted is safe")


async def _beside(companion: Companion, weir: Weir, address: str) -> None:
    try:
        await companion(weir, address)
    except asyncio.CancelledError:
        raise
    except Exception:  # noqa: BLE001 # whatever it was, the server itself is sound
        _log.exception("what ran beside the server has failed; the server goes on")
