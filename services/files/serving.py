"""Files of messages for people: what is told of them, and what may be had.

Only a file whose fate is known to belong to that very message is given out; where it is kept stays within.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol, TypeGuard, cast
from urllib.parse import quote

from msgspec import Struct

from services.errors import NotFoundError
from services.files.thumbnails import THUMBNAIL_MIME
from services.files.types import UNKNOWN, extension, family
from services.replies.composing import OWN
from storage.channel_ports import FileStore, OutboxStore
from storage.ports import InboxStore

_TOLD = ("reason", "cure", "mime", "size", "width", "height")
_WITHIN = frozenset({"detail", "sha256", "content_id"})
_GIVEN = frozenset({"ok", "unsupported"})
"""What cannot be shown here may still be taken home, and be converted there."""


class FileReader(InboxStore, OutboxStore, Protocol):
    """The parts of a store used here."""


class HeldFile(Struct, frozen=True, kw_only=True):
    """A file that is kept. `sound`: it was found to be what it says, so that it may be shown."""

    digest: str
    mime: str
    size: int
    name: str
    sound: bool


class AttachmentFiles:
    """Gives files out."""

    def __init__(self, store: FileReader, files: FileStore) -> None:
        self._store = store
        self._files = files

    async def find(self, key: str, message: str, attachment: str, *, thumbnail: bool = False) -> HeldFile:
        """The file, or the small picture of it; raises NotFoundError."""
        found = await (self._own if message.startswith(OWN) else self._theirs)(key, message, attachment)
        status, told = _fate(found)
        digest = told.get("thumb" if thumbnail else "digest")
        size = await self._files.file_size(digest) if _is_digest(digest) and status in _GIVEN else None
        if not _is_digest(digest) or size is None:
            raise NotFoundError("there is no such file with a message of that conversation, or it has not come")
        mime = THUMBNAIL_MIME if thumbnail else told.get("mime")
        mime = mime if isinstance(mime, str) and mime.isascii() and mime.isprintable() else UNKNOWN
        sound = status == "ok"
        name = f"{family(mime)}-{digest[:8]}.{extension(mime)}"
        return HeldFile(digest=digest, mime=mime, size=size, name=name, sound=sound)

    async def read(self, file: HeldFile, first: int = 0, count: int | None = None) -> AsyncIterator[bytes]:
        """So many bytes from `first` on; raises FileMissingError."""
        left = file.size - first if count is None else count
        skip = first
        async for piece in self._files.file(file.digest):
            part = piece[skip : skip + left]
            skip, left = max(0, skip - len(piece)), left - len(part)
            if part:
                yield part
            if left <= 0:
                return

    async def _theirs(self, key: str, message: str, attachment: str) -> Mapping[str, Any] | None:
        row = await self._store.message(key, message)
        return next((one for one in row.attachments if one["id"] == attachment), None) if row else None

    async def _own(self, key: str, message: str, attachment: str) -> Mapping[str, Any] | None:
        """A file of a reply of ours."""
        row = await self._store.reply(message)
        if row is None or row.key != key:
            return None
        for index, file in enumerate(row.files):
            if attachment == own_id(message, index):
                return {"status": "ok", "detail": {"digest": file.digest, "mime": file.mime}}
        return None


def own_id(reply: str, index: int) -> str:
    """The id of a file of a reply of ours."""
    return f"{reply}:{index}"


def shown(key: str, message: str, attachment: Mapping[str, Any]) -> dict[str, Any]:
    """What people and programs are told of a file: as announced, its fate, and where to have it (`href`, `thumb`)."""
    told = {name: value for name, value in attachment.items() if name not in _WITHIN}
    status, detail = _fate(attachment)
    found = {name: detail[name] for name in _TOLD if isinstance(detail.get(name), str | int)}
    told |= {name: found.pop(name) for name in ("reason", "cure") if name in found}
    if found:
        told["found"] = found
    place = "/".join(quote(part, safe="") for part in (message, "attachments", str(attachment.get("id"))))
    place = f"/api/v1/conversations/{quote(key, safe='')}/messages/{place}"
    if message.startswith(OWN) or (_is_digest(detail.get("digest")) and status in _GIVEN):
        told["href"] = place
    if _is_digest(detail.get("thumb")) and status == "ok":
        told["thumb"] = f"{place}/thumb"
    return told


def _fate(attachment: Mapping[str, Any] | None) -> tuple[str | None, Mapping[str, Any]]:
    """The status and what was told with it."""
    if attachment is None:
        return None, {}
    detail = attachment.get("detail")
    return attachment.get("status"), cast("Mapping[str, Any]", detail) if isinstance(detail, dict) else {}


def _is_digest(found: object) -> TypeGuard[str]:
    return isinstance(found, str) and len(found) == 64 and not set(found) - set("0123456789abcdef")  # noqa: PLR2004


__all__ = ["AttachmentFiles", "HeldFile", "own_id", "shown"]
