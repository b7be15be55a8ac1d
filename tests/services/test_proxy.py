"""A cable between client and server that can stall, delay and cut, and needs no rights."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from tests.services import ports, proxy


@asynccontextmanager
async def echo():
    """A server that says everything back."""

    async def answer(reader, writer):
        while chunk := await reader.read(10_000):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    (port,) = ports.free()
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield port


@asynccontextmanager
async def connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def nothing_comes(reader):
    """Whether the connection is open and silent."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readline(), 0.2)


async def test_what_is_sent_arrives_both_ways_and_the_end_too():
    async with echo() as port:
        with proxy.running("127.0.0.1", port) as cable:
            async with connected(cable.port) as (reader, writer):
                writer.write(b"x" * 3_000_000)
                writer.write_eof()
                assert await reader.read() == b"x" * 3_000_000


async def test_a_cut_cable_is_silent_and_loses_nothing_once_it_is_healed():
    async with echo() as port:
        with proxy.running("127.0.0.1", port) as cable:
            async with connected(cable.port) as (reader, writer):
                writer.write(b"before\n")
                assert await reader.readline() == b"before\n"
                cable.cut()
                writer.write(b"during\n")
                await nothing_comes(reader)
                cable.heal()
                assert await reader.readline() == b"during\n"


async def test_a_connection_made_while_the_cable_is_cut_works_once_it_is_healed():
    async with echo() as port:
        with proxy.running("127.0.0.1", port) as cable:
            cable.cut()
            async with connected(cable.port) as (reader, writer):
                writer.write(b"early\n")
                await nothing_comes(reader)
                cable.heal()
                assert await reader.readline() == b"early\n"


async def test_a_delay_holds_each_way():
    async with echo() as port:
        with proxy.running("127.0.0.1", port) as cable:
            cable.delay(0.1)
            async with connected(cable.port) as (reader, writer):
                began = time.monotonic()
                writer.write(b"slow\n")
                assert await reader.readline() == b"slow\n"
                assert time.monotonic() - began >= 0.2


async def test_a_reset_breaks_connections_off_and_lets_new_ones_in():
    async with echo() as port:
        with proxy.running("127.0.0.1", port) as cable:
            async with connected(cable.port) as (reader, writer):
                writer.write(b"hello\n")
                assert await reader.readline() == b"hello\n"
                await asyncio.to_thread(cable.reset)
                with pytest.raises(ConnectionResetError):
                    await reader.readexactly(1)
            async with connected(cable.port) as (reader, writer):
                writer.write(b"again\n")
                assert await reader.readline() == b"again\n"


async def test_a_server_that_is_away_breaks_the_connection_off():
    (nobody,) = ports.free()
    # It breaks at the first read, or before the connecting has returned.
    with proxy.running("127.0.0.1", nobody) as cable, pytest.raises(ConnectionResetError):
        async with connected(cable.port) as (reader, _):
            await reader.readexactly(1)
