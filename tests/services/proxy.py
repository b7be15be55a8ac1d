"""A cable between a client and a server that needs no rights: a TCP proxy that can stall, delay and cut.

It runs in a thread of its own, so that a test which waits for something does not hold it up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from tests.services import ports

CHUNK = 64 * 1024
CHUNKS_ON_THE_WAY = 256


class Proxy:
    """Listens on a loopback port and hands everything on to a server; its methods may be called from any thread."""

    def __init__(self, target: tuple[str, int], port: int) -> None:
        self.target = target
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._delay_s = 0.0
        self._links: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}")

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._call(self._open()).result()

    def cut(self) -> None:
        """Let nothing through in either direction; connections stay open, new ones get no answer."""
        self._set_open(opened=False)

    def heal(self) -> None:
        """Let everything through again, what waited as well."""
        self._set_open(opened=True)

    def delay(self, seconds: float) -> None:
        """Let everything arrive so much later, each way, from now on."""
        self._delay_s = seconds

    def reset(self) -> None:
        """Break every connection off, as a firewall does that forgot them."""
        self._call(self._break_off()).result()

    def stop(self) -> None:
        """Close everything."""
        self._call(self._close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _set_open(self, *, opened: bool) -> None:
        async def change() -> None:
            (self._opened.set if opened else self._opened.clear)()

        self._call(change()).result()

    async def _open(self) -> None:
        self._opened = asyncio.Event()
        self._opened.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        task = self._loop.create_task(self._connect(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._opened.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            self._reset(writer)
            return
        self._links.add(far_writer)
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        for end in (writer, far_writer):
            self._links.discard(end)
            end.close()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """One direction: what is read waits for its time and for the cable."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_ON_THE_WAY)
        arriving = asyncio.create_task(self._deliver(on_the_way, sink))
        try:
            chunk = b"-"
            while chunk:
                chunk = await source.read(CHUNK)
                await on_the_way.put((self._loop.time() + self._delay_s, chunk))
            await arriving
        except OSError:
            sink.transport.abort()
        finally:
            arriving.cancel()

    async def _deliver(self, on_the_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        while True:
            due, chunk = await on_the_way.get()
            await asyncio.sleep(due - self._loop.time())
            await self._opened.wait()
            if not chunk:
                with contextlib.suppress(OSError):
                    sink.write_eof()
                return
            sink.write(chunk)
            with contextlib.suppress(OSError):
                await sink.drain()

    async def _break_off(self) -> None:
        for writer in list(self._links):
            self._reset(writer)

    async def _close(self) -> None:
        self._server.close()
        await self._break_off()
        self._opened.set()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        self._links.discard(writer)
        if not writer.is_closing():
            at_once = struct.pack("ii", 1, 0)  # a reset, not an end
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        writer.transport.abort()


@contextmanager
def running(host: str, port: int, *, at: int | None = None) -> Iterator[Proxy]:
    """A proxy to that server for the length of the block, on the port `at` or any free one."""
    proxy = Proxy((host, port), ports.free()[0] if at is None else at)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
