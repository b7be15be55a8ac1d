"""Serves the web app on the running loop: one socket bound up front, signals turned into an orderly stop."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from actors.errors import ConfigurationError
from weir.config import Config

EXIT_FORCED = 70
EXIT_INTERRUPTED = 130
GRACE_S = 3
PORTS_TRIED = 20
_log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """Uvicorn without its signal handling: it would end the process before everything is saved."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `stop_signals`."""
        yield


def bind(host: str, port: int, *, further: bool = False) -> socket.socket:
    """A bound socket; with `further` the next free port when that one is taken. Raises ConfigurationError."""
    last = min(port + PORTS_TRIED, 65535) if further and port else port
    for candidate in range(port, last + 1):
        try:
            return _bound(host, candidate)
        except OSError as wrong:
            if candidate == last:
                reason = f"cannot listen on {host} port {port}: {wrong.strerror or wrong}"
                raise ConfigurationError(f"{reason}; choose another with --host or --port") from wrong
    raise AssertionError(port)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)  # noqa: FBT003 # the standard library's own signature
    return sock


def address_of(sock: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 # compared, not bound
    return f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: ASGIApp, config: Config, sock: socket.socket) -> AsyncIterator[None]:
    """Serve until the block ends; entered once requests are answered."""
    settings = uvicorn.Config(
        app,
        loop="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=config.trusted_proxies or None,
        timeout_graceful_shutdown=GRACE_S,
        ws_max_size=2**20,
    )
    server = Server(settings)
    task = asyncio.create_task(server.serve(sockets=[sock]), name="web")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 # the server has no event to wait for
            await asyncio.sleep(0.01)
        if task.done():
            await task
            raise ConfigurationError("the web server did not start; the log has the reason")
        yield
    finally:
        server.should_exit = True
        await task


@contextmanager
def stop_signals(deadline_s: int) -> Iterator[asyncio.Event]:
    """An event set by the first SIGINT or SIGTERM; a second one, or the deadline after it, ends the process."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            os._exit(EXIT_INTERRUPTED)
        stop.set()
        _end_after(deadline_s, lambda: os._exit(EXIT_FORCED))

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _end_after(deadline_s: float, end: Callable[[], None]) -> None:
    """Whatever hangs must not keep the process: what was accepted is in the log, so ending it loses nothing."""

    def force() -> None:
        _log.critical("stopping took too long; ending now, nothing accepted is lost", deadline_s=deadline_s)
        end()

    timer = threading.Timer(deadline_s, force)
    timer.daemon = True
    timer.start()
