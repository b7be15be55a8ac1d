"""Brings one file from its platform to the disk: as long as it may be, hashed on its way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import BinaryIO

from msgspec.structs import replace

from actors.events import Attachment
from connectors.contract.calling import ApiResponse, BusyError, RefusedError, checked, retry_after
from connectors.contract.connector import Connector
from services.channels.platform_api import PlatformApi
from services.files.checks import Fetched
from services.files.types import HEAD_BYTES

PIECE_BYTES = 256 * 1024
PATIENCE_S = 60.0
NO_WAY = "no_way"
TOO_LARGE = "too_large"


class AddressOverError(RefusedError):
    """The address of the file is good no more, or not yet; `code`: the status of the answer."""


class Written:
    """A file of the disk that has no name and goes when it is closed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._hash = hashlib.sha256()
        self._head = b""
        self._size = 0
        self.file: BinaryIO = TemporaryFile()  # noqa: SIM115 # its owner closes it

    async def add(self, piece: bytes) -> None:
        """One more piece; raises RefusedError (code `too_large`) when it is too long."""
        self._size += len(piece)
        if self._size > self._most:
            raise RefusedError(f"the file is longer than {self._most} bytes", TOO_LARGE)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
        self._hash.update(piece)
        await asyncio.to_thread(self.file.write, piece)

    def end(self) -> Fetched:
        """The whole of it."""
        self.file.flush()
        return Fetched(file=self.file, head=self._head, size=self._size, digest=self._hash.hexdigest())


@asynccontextmanager
async def written(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[Fetched]:
    """These pieces as a file, while the context is open; raises RefusedError when they are more than `most` bytes."""
    target = Written(most)
    try:
        async for piece in pieces:
            await target.add(piece)
        yield target.end()
    finally:
        target.file.close()


@asynccontextmanager
async def fetched(connector: Connector, attachment: Attachment, api: PlatformApi, most: int) -> AsyncIterator[Fetched]:
    """The file from its platform, while the context is open.

    Raises the errors of `connectors.contract.calling`; AddressOverError where the file's address answers 401, 403, 404
    or 410; RefusedError with the codes `no_way`, `too_large`, or those of `PlatformApi.download`.
    """
    content = await connector.content(attachment, api)
    if content is not None:
        async with written(_one(content), most) as whole:
            yield whole
        return
    request = await connector.locate(attachment, api)
    if request is None:
        raise RefusedError("the platform gives no way to this file", NO_WAY)
    request = replace(request, timeout_s=max(request.timeout_s, PATIENCE_S))
    target = Written(most)
    try:
        async with api.download(request, most) as found:
            _check(found.status, found.headers)
            async for piece in found.pieces:
                await target.add(piece)
        yield target.end()
    finally:
        target.file.close()


async def pieces_of(file: BinaryIO) -> AsyncIterator[bytes]:
    """An open file of the disk, from its beginning."""
    await asyncio.to_thread(file.seek, 0)
    while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
        yield piece


def _check(status: int, headers: dict[str, str]) -> None:
    """Raises what the status of a file's address means; the platform's authorisation is not judged by it."""
    answer = ApiResponse(status=status, headers=headers)
    if status in {401, 403, 404, 410}:
        raise AddressOverError(f"the file's address answers {status}", str(status))
    if status == 206 or 300 <= status < 400:  # noqa: PLR2004 # a part, or an address that leads nowhere
        raise RefusedError(f"the file's address answers {status}", str(status))
    if status == 503:  # noqa: PLR2004 # with or without Retry-After
        raise BusyError("the file's address answers 503", retry_after(answer) or 5.0)
    checked(answer)


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


__all__ = ["AddressOverError", "Written", "fetched", "pieces_of", "written"]
