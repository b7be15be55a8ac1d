"""Files in a folder, each under `ab/cd/DIGEST`, written whole under another name first.

A file that is being written lies in `incoming`; what a process that died left there goes after a day.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock
from typing import BinaryIO, TypeVar

from actors.errors import ConfigurationError
from storage.digests import PIECE_BYTES, checked_digest, proved_pieces
from storage.errors import FileMissingError, StoreBusyError, StoreFullError

_File = TypeVar("_File", bound=BinaryIO | None)
INCOMING = "incoming"
LEFT_BEHIND_S = 86_400
_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}


class FolderFiles:
    """`storage.channel_ports.FileStore` in a folder, which is made when the first file comes.

    Besides the errors of the port, raises StoreFullError, StoreBusyError, or ConfigurationError for wrong rights.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put_file(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Keep a file, durable when it returns; its size in bytes. Raises RejectedError when the digest is another's.

        A file that is held already is not written again, but counts as kept now.
        """
        path = self._path(digest)
        with _explained(self._folder):
            held = await asyncio.to_thread(_kept_again, path)
        if held is not None:
            return held
        with _explained(self._folder):
            file = await _kept_open(lambda: _begin(self._folder), _drop)
        try:
            size = 0
            async with aclosing(proved_pieces(digest, content)) as pieces:
                async for piece in pieces:
                    with _explained(self._folder):
                        await asyncio.to_thread(file.write, piece)
                    size += len(piece)
            with _explained(self._folder):
                await asyncio.to_thread(_finish, file, self._path(digest), self._folder)
        finally:
            await asyncio.to_thread(_drop, file)
        return size

    async def file(self, digest: str) -> AsyncGenerator[bytes]:
        """The content of a file in pieces; raises FileMissingError."""
        path = self._path(digest)
        with _explained(self._folder):
            file = await _kept_open(lambda: _opened(path), lambda opened: opened.close() if opened else None)
        if file is None:
            raise FileMissingError(f"no file {digest} is kept in {self._folder}")
        try:
            while True:
                with _explained(self._folder):
                    piece = await asyncio.to_thread(file.read, PIECE_BYTES)
                if not piece:
                    return
                yield piece
        finally:
            await asyncio.to_thread(file.close)

    async def file_size(self, digest: str) -> int | None:
        """The size of a file in bytes; None when it is not held."""
        path = self._path(digest)
        with _explained(self._folder):
            return await asyncio.to_thread(_size, path)

    async def delete_file(self, digest: str) -> None:
        """Forget a file, if it is held."""
        path = self._path(digest)
        with _explained(self._folder):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def old_files(self, before: int, limit: int, after: str | None = None) -> list[str]:
        """Digests, ascending and beyond `after`, of files that were last kept, anew or again, before that time (ms)."""
        with _explained(self._folder):
            return await asyncio.to_thread(_old, self._folder, before, limit, after or "")

    async def delete_old_file(self, digest: str, before: int) -> bool:
        """Forget a file, unless it was kept, anew or again, since that time (ms); whether it was forgotten."""
        path = self._path(digest)
        with _explained(self._folder):
            return await asyncio.to_thread(_delete_old, path, self._folder, before)

    def _path(self, digest: str) -> Path:
        name = checked_digest(digest)
        return self._folder / name[:2] / name[2:4] / name


async def _kept_open(opening: Callable[[], _File], close: Callable[[_File], object]) -> _File:
    """What a thread opens. An asker who is cancelled meanwhile never hears of it: then it is closed again."""
    lock, opened, gone = Lock(), list[_File](), Event()

    def work() -> _File:
        file = opening()
        with lock:
            opened.append(file)
            if gone.is_set():
                close(file)
        return file

    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        with lock:
            gone.set()
            for file in opened:
                close(file)
        raise


@contextmanager
def _explained(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        told = f"the folder of files {folder}"
        if error.errno in _FULL:
            raise StoreFullError(f"the disk that holds {told} is full; nothing was kept: free space") from error
        if error.errno in _REFUSED:
            raise ConfigurationError(f"{told} cannot be used ({error.strerror}); mend its rights") from error
        raise StoreBusyError(f"{told} cannot be used now ({error.strerror}); it is tried again") from error


def _begin(folder: Path) -> BinaryIO:
    """An empty file to write to, readable by its owner alone."""
    incoming = folder / INCOMING
    folder.parent.mkdir(parents=True, exist_ok=True)
    _make(folder, incoming)
    for left in incoming.iterdir():
        try:
            if left.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                left.unlink()
        except FileNotFoundError:
            continue  # another process was faster
    return open(incoming / token_hex(12), "xb", opener=_private)  # Path.open takes no opener; the caller closes it


def _make(*folders: Path) -> None:
    for folder in folders:
        # Only the last one of a path would get the mode.
        folder.mkdir(mode=0o700, exist_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _kept_again(path: Path) -> int | None:
    """Its size, after its time was set to now; None when it is not held."""
    try:
        os.utime(path)
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _old(folder: Path, before: int, limit: int, after: str) -> list[str]:
    found: list[str] = []
    for one in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        if one.name < after[:2]:
            continue
        for path in sorted(one.glob("[0-9a-f][0-9a-f]/*")):
            if path.name > after and _time(path) < before:
                found.append(path.name)
                if len(found) == limit:
                    return found
    return found


def _delete_old(path: Path, folder: Path, before: int) -> bool:
    """Put aside first: whoever keeps it again meanwhile either finds it gone, or its time tells."""
    aside = folder / INCOMING / token_hex(12)
    _make(folder, aside.parent)
    if not _time(path) < before:
        return False
    try:
        path.replace(aside)
    except FileNotFoundError:
        return False
    if _time(aside) < before:
        aside.unlink()
        return True
    aside.replace(path)
    return False


def _time(path: Path) -> float:
    """When it was last kept (ms); infinitely late when it is not held."""
    try:
        return path.stat().st_mtime * 1000
    except FileNotFoundError:
        return float("inf")


def _finish(file: BinaryIO, path: Path, folder: Path) -> None:
    """Bring what was written under its name, and return when the disk holds both."""
    file.flush()
    os.fsync(file.fileno())
    _make(path.parent.parent, path.parent)
    Path(file.name).replace(path)
    for place in (path.parent, path.parent.parent, folder):
        number = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _drop(file: BinaryIO) -> None:
    """Close the file; it goes unless it has its name."""
    Path(file.name).unlink(missing_ok=True)
    # Its lock makes this wait for a write that a cancelled caller left behind; what cannot be written is not wanted.
    with suppress(OSError):
        file.close()


__all__ = ["FolderFiles"]
