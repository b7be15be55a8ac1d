"""Pictures are read in a process of their own each, with limits of memory and time: `services.files.picture_process`.

A picture that kills its reader, or makes it think for too long, is one that cannot be read.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import msgspec
from msgspec import Struct

from services.files import picture_process

Trouble: TypeAlias = Literal["too_many_pixels", "too_costly", "undecodable", "truncated"]
SIDE = 320
PATIENCE_S = 10.0
AT_ONCE = 2
MOST_MADE = 64 * 2**20
THUMBNAIL_MIME = "image/webp"
READABLE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff"})
"""Media types of pictures that can be read here."""
_KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
"""Those that can be made."""
_MIMES = {kind: mime for mime, kind in _KINDS.items()}


class Seen(Struct, frozen=True, kw_only=True):
    """A picture: its size in pixels and what was made of it; `trouble` says why there is nothing."""

    width: int = 0
    height: int = 0
    kind: str = ""
    trouble: Trouble | None = None
    made: bytes = b""

    @property
    def mime(self) -> str:
        """The media type of what was made for a platform."""
        return _MIMES.get(self.kind, "application/octet-stream")


class Pictures:
    """Reads pictures, two at a time."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._patience_s = patience_s

    async def thumbnail(self, file: BinaryIO) -> Seen:
        """The picture in an open file of the disk, with a small one of at most 320 pixels a side (WebP)."""
        return await self._ask(file, {"do": "thumbnail", "side": SIDE})

    async def fitted(self, file: BinaryIO, most: int | None, mimes: Sequence[str]) -> Seen:
        """The picture with one of at most `most` bytes in one of these media types; none where that cannot be."""
        kinds = [_KINDS[mime] for mime in mimes if mime in _KINDS]
        if not kinds:
            return Seen()
        return await self._ask(file, {"do": "fit", "most": most, "kinds": kinds})

    async def _ask(self, file: BinaryIO, wanted: dict[str, Any]) -> Seen:
        async with self._gate:
            file.seek(0)
            # By its path, apart from everything else of Weir: the quicker it begins, and the less it can reach.
            program = str(Path(picture_process.__file__))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", program, json.dumps(wanted),
                stdin=file, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                limit=2**20, env={}, start_new_session=True,
            )  # fmt: skip
            try:
                async with asyncio.timeout(self._patience_s):
                    told, _ = await process.communicate()
            except TimeoutError:
                return Seen(trouble="too_costly")
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        return _seen(told, process.returncode)


def _seen(told: bytes, status: int | None) -> Seen:
    line, _, made = told.partition(b"\n")
    if status != 0 or not line or len(made) > MOST_MADE:
        return Seen(trouble="too_costly")
    return msgspec.structs.replace(msgspec.json.decode(line, type=Seen), made=made)


__all__ = ["READABLE", "SIDE", "THUMBNAIL_MIME", "Pictures", "Seen", "Trouble"]
