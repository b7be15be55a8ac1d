"""Files that people send: kept under what they are, and made to fit a platform where a picture can be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import PurePath
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog
from msgspec.structs import replace

from actors.errors import RejectedError
from connectors.contract.calling import RefusedError
from connectors.contract.outgoing import Limits
from services.files.fetching import pieces_of, written
from services.files.thumbnails import READABLE, Pictures
from services.files.types import HEAD_BYTES, UNKNOWN, extension, family, sniffed
from services.people.permissions import Caller, demand
from storage.channel_ports import FileStore
from storage.channel_records import ReplyFile

MOST_BYTES = 100 * 2**20
LONGEST_NAME = 255
MADE = ("image/jpeg", "image/png", "image/webp")
"""What a picture can be made into, the best first."""
MARGIN = 0.99
ARCHIVE = "application/zip"
WORTH_IT = 0.95
"""An archive that is hardly smaller is nothing to offer."""
_MEDIA = frozenset({"image", "audio", "video"})
_log = structlog.get_logger(__name__)


class OutgoingFiles:
    """Takes files in, and fits pictures."""

    def __init__(self, files: FileStore, pictures: Pictures | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        self._files = files
        self._pictures = pictures or Pictures()
        self.most_bytes = most_bytes

    async def keep(self, caller: Caller, name: str, content: AsyncIterator[bytes]) -> ReplyFile:
        """Keep a file, durable when it returns. Raises ForbiddenError, or RejectedError for an empty or long one."""
        demand(caller, "reply")
        try:
            async with written(content, self.most_bytes) as whole:
                if whole.size == 0:
                    raise RejectedError("the file is empty; choose another")
                mime = sniffed(whole.head)
                await self._files.put_file(whole.digest, pieces_of(whole.file))
                return ReplyFile(digest=whole.digest, name=shown_name(name, mime), mime=mime, size=whole.size)
        except RefusedError as wrong:
            most = f"{self.most_bytes / 2**20:g} MB"
            raise RejectedError(f"the file is larger than {most}; compress it") from wrong

    async def fitted(self, file: ReplyFile, limits: Limits) -> ReplyFile:
        """The file as the platform takes it: named as what it is, a picture converted and made smaller where need be.

        What cannot be is given back as it is, for the platform's objections to name. Raises FileMissingError and
        RetriableError.
        """
        file = replace(file, mime=await self._honest(file))
        if _fits(file, limits) or limits.files == 0:
            return file
        mimes = [mime for mime in MADE if _takes(limits, mime)]
        if not mimes:
            return file
        async with written(self._files.file(file.digest), file.size) as whole:
            if sniffed(whole.head) not in READABLE:
                return file
            most = None if limits.file_bytes is None else int(limits.file_bytes * MARGIN)
            seen = await self._pictures.fitted(whole.file, most, mimes)
        if not seen.made:
            _log.info("a picture could not be made to fit", trouble=seen.trouble)
            return file
        digest = sha256(seen.made).hexdigest()
        await self._files.put_file(digest, _one(seen.made))
        name = PurePath(file.name).stem[: LONGEST_NAME - 8] + f".{extension(seen.mime)}"
        return ReplyFile(digest=digest, name=name, mime=seen.mime, size=len(seen.made))

    async def squeezed(self, file: ReplyFile, limits: Limits) -> ReplyFile | None:
        """An archive of the file, kept, where platforms of these limits take one and it is smaller than the file.

        Raises FileMissingError and RetriableError.
        """
        if family(file.mime) in _MEDIA or file.mime == ARCHIVE or not _takes(limits, ARCHIVE):
            return None
        async with written(self._files.file(file.digest), file.size) as whole:
            packed = await asyncio.to_thread(_packed, file.name, whole.file)
        with packed:
            async with written(pieces_of(packed), self.most_bytes) as made:
                if made.size > file.size * WORTH_IT:
                    return None
                await self._files.put_file(made.digest, pieces_of(made.file))
                name = f"{file.name[: LONGEST_NAME - 4]}.zip"
                return ReplyFile(digest=made.digest, name=name, mime=ARCHIVE, size=made.size)

    async def _honest(self, file: ReplyFile) -> str:
        """The media type of a file's content; as it was claimed where the content tells less than that."""
        head = b""
        async for piece in self._files.file(file.digest):
            head += piece
            if len(head) >= HEAD_BYTES:
                break
        found = sniffed(head[:HEAD_BYTES])
        vague = found in {UNKNOWN, "text/plain", "application/zip", "application/x-ole-storage"}
        return file.mime if vague and family(file.mime) not in _MEDIA else found


def shown_name(name: str, mime: str) -> str:
    """A name without folders and without what cannot be printed."""
    bare = "".join(one for one in name.replace("\\", "/").rpartition("/")[2] if one.isprintable()).strip(" .")
    return bare[-LONGEST_NAME:] or f"file.{extension(mime)}"


def _fits(file: ReplyFile, limits: Limits) -> bool:
    return _takes(limits, file.mime) and (limits.file_bytes is None or file.size <= limits.file_bytes)


def _takes(limits: Limits, mime: str) -> bool:
    return limits.mimes is None or any(fnmatchcase(mime.lower(), kind) for kind in limits.mimes)


def _packed(name: str, file: BinaryIO) -> BinaryIO:
    """An open archive with one file in it; the same file always gives the same archive."""
    target = TemporaryFile()  # noqa: SIM115 # whoever gets it closes it
    about = ZipInfo(name)
    about.compress_type = ZIP_DEFLATED
    file.seek(0)
    with ZipFile(target, "w") as archive, archive.open(about, "w", force_zip64=True) as place:
        copyfileobj(file, place)
    return cast("BinaryIO", target)


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


__all__ = ["OutgoingFiles", "shown_name"]
