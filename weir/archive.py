"""The archive of messages that are forgotten: lines of JSON in zstandard files, in a folder that nobody else writes to.

A process only adds to a file that it made itself. So two processes never meet in one, and what a crash tore off stands
at the end of a file, where it spoils nothing: its messages are still in the store and are archived again.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

import zstandard
from msgspec import Struct, json

from actors.errors import ConfigurationError
from actors.times import rfc3339
from services.message_views import message_view
from storage.errors import ArchiveError
from storage.records import MessageRow

ADDING = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
FULL = {errno.ENOSPC, errno.EDQUOT}
_encoder = json.Encoder()


class _File(Struct, frozen=True):
    """The file in use: which day (UTC) it is for, and how large it was when it was last written."""

    path: Path
    day: str
    size: int


class FolderArchive:
    """`storage.ports.Archive` in a folder: one zstandard frame a call, a new file each UTC day.

    `now` gives ms. Raises ConfigurationError when the folder cannot be made or written.
    """

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        self._folder = folder
        self._now = now
        self._file: _File | None = None
        self._turn = Lock()
        try:
            _make(folder)
            _try_out(folder)
        except OSError as wrong:
            raise ConfigurationError(
                f"setting archive_dir: messages cannot be archived in {folder} ({wrong.strerror}); "
                "mend the rights of the folder, or name another"
            ) from wrong

    async def put(self, rows: Sequence[MessageRow]) -> None:
        """Write the messages as the API shows them; on the disk when it returns. Raises ArchiveError."""
        await asyncio.to_thread(self._put, rows)

    def _put(self, rows: Sequence[MessageRow]) -> None:
        lines = b"".join(_encoder.encode(message_view(row)) + b"\n" for row in rows)
        frame = zstandard.ZstdCompressor(write_checksum=True).compress(lines)
        with self._turn:
            try:
                self._add(frame)
            except OSError as wrong:
                mend = "free space" if wrong.errno in FULL else "see that the folder is there and may be written"
                raise ArchiveError(
                    f"the archive {self._folder} (setting archive_dir) cannot be written ({wrong.strerror}); "
                    f"no message is forgotten meanwhile: {mend}"
                ) from wrong

    def _add(self, frame: bytes) -> None:
        """To the file in use, or to a new one; a file in which something went wrong is not used again."""
        day = rfc3339(self._now())[:10]
        file, self._file = self._file, None
        found = _reopened(file) if file is not None and file.day == day else None
        path, descriptor = (file.path, found) if file is not None and found is not None else self._new()
        before = os.fstat(descriptor).st_size
        try:
            _write(descriptor, frame)
            if before == 0:
                _sync_folder(self._folder)
        except OSError:
            with suppress(OSError):  # a torn end does no harm, see above
                os.ftruncate(descriptor, before)
                if before == 0:
                    path.unlink()
            raise
        finally:
            os.close(descriptor)
        self._file = _File(path, day, before + len(frame))

    def _new(self) -> tuple[Path, int]:
        """A file named after this instant, so that a name never comes again, whatever is moved elsewhere."""
        at = self._now()
        while True:
            path = self._folder / f"messages-{rfc3339(at).translate(_IN_NAMES)}.jsonl.zst"
            try:
                return path, os.open(path, ADDING | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                at += 1


_IN_NAMES = str.maketrans({":": None, ".": None})


def _reopened(file: _File) -> int | None:
    """The file in use, when it is still there as it was left."""
    try:
        descriptor = os.open(file.path, ADDING)
    except FileNotFoundError:
        return None
    if os.fstat(descriptor).st_size == file.size:
        return descriptor
    os.close(descriptor)
    return None


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _make(folder: Path) -> None:
    """The folder and those above it, readable by nobody else, there after a power cut too."""
    if not folder.is_dir():
        if folder.parent != folder:
            _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)


def _try_out(folder: Path) -> None:
    """Raises OSError when no file can be made; a disk that is full today is no wrong setting."""
    try:
        TemporaryFile(dir=folder).close()
    except OSError as wrong:
        if wrong.errno not in FULL:
            raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
