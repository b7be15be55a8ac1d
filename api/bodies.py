"""Request bodies: read up to a limit, decompressed without trusting the sender's sizes, decoded into records."""

import asyncio
import zlib
from typing import TypeVar

import msgspec
from starlette.requests import Request

from actors.errors import RejectedError
from api.problems import Problem

Record = TypeVar("Record")
PATIENCE_S = 60
SMALL = 64 * 1024
STEP = 256 * 1024
GZIP_WINDOW = 31  # zlib's number for "gzip, largest window"


class Resolution(msgspec.Struct, forbid_unknown_fields=True):
    """Why an anomaly, or an incident with all of its own, is done with."""

    cause: str | None = None


async def read_body(request: Request, most: int) -> bytes:
    """The body as sent; a Problem 413 when it is longer than `most` bytes, 408 when it comes too slowly."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
    except TimeoutError as slow:
        raise Problem(408, f"the body took longer than {PATIENCE_S} s to arrive; send it again") from slow
    return b"".join(parts)


async def read_batch(request: Request, most_sent: int, most_unpacked: int) -> bytes:
    """The body, decompressed when it says gzip; Problems 400, 413 and 415."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip"):
        raise Problem(415, f"content-encoding {encoding[:40]!r} is not understood; send gzip or nothing")
    body = await read_body(request, most_sent)
    if encoding != "gzip":
        return body
    if len(body) < SMALL // 4:
        return gunzip(body, most_unpacked)
    return await asyncio.to_thread(gunzip, body, most_unpacked)


def gunzip(body: bytes, most: int) -> bytes:
    """The decompressed bytes, of one or more gzip members; stops as soon as they are more than `most`."""
    parts: list[bytes] = []
    left, rest = most, body
    while rest:
        unpacker = zlib.decompressobj(GZIP_WINDOW)
        while not unpacker.eof:
            try:
                part = unpacker.decompress(rest, min(left + 1, STEP))
            except zlib.error as wrong:
                raise Problem(400, f"the body is no valid gzip: {wrong}") from wrong
            rest = unpacker.unconsumed_tail
            left -= len(part)
            if left < 0:
                raise _too_large(most)
            parts.append(part)
            if not part and not rest and not unpacker.eof:
                raise Problem(400, "the gzip body ends too early; send it again")
        rest = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)


async def read_json(request: Request, kind: type[Record], most: int = SMALL) -> Record:
    """The JSON body as a record. Problem 400 when it is no JSON, RejectedError when it does not fit."""
    body = await read_body(request, most)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as wrong:
        raise RejectedError(f"the body does not fit: {wrong}") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Problem(400, f"the body is no JSON: {wrong}") from wrong


def _too_large(most: int) -> Problem:
    return Problem(413, f"the body is larger than {most} bytes; send it in parts")
