"""Files of web chats: what visitors upload, and what they may fetch of what agents sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from actors.errors import RejectedError
from actors.keys import conversation_key
from connectors.webchat import FILE_KINDS, LARGEST_FILE, ChatFile, Visitor, Webchat
from services.errors import NotFoundError
from storage.channel_ports import FileStore, OutboxStore

LONGEST_NAME = 200
_BEGINS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


class FilesStore(OutboxStore, Protocol):
    """The parts of a store used here."""


class Download(Struct, frozen=True, kw_only=True):
    """A file to be handed out."""

    name: str
    mime: str
    size: int
    content: AsyncIterator[bytes]


class ChatFiles:
    """Keeps and gives files of web chats."""

    def __init__(self, store: FilesStore, files: FileStore) -> None:
        self._store = store
        self._files = files

    async def keep(self, name: str, content: bytes) -> ChatFile:
        """Keep an uploaded file; its kind is what its content says. Raises RejectedError, RetriableError."""
        shown = "".join(one for one in name.replace("\\", "/").rpartition("/")[2] if one.isprintable())[:LONGEST_NAME]
        if not content:
            raise RejectedError("the file is empty")
        if len(content) > LARGEST_FILE:
            raise RejectedError(f"the file is larger than {LARGEST_FILE} bytes")
        mime = kind_of(content)
        if mime is None or mime not in FILE_KINDS:
            raise RejectedError("only pictures (PNG, JPEG, GIF, WebP), PDF and plain text are taken")
        digest = sha256(content).hexdigest()
        await self._files.put_file(digest, _pieces(content))
        return ChatFile(digest=digest, name=shown.strip() or "file", mime=mime, size=len(content))

    async def held(self, file: ChatFile) -> bool:
        """Whether it was uploaded."""
        return await self._files.file_size(file.digest) == file.size

    async def sent(self, connector: Webchat, visitor: Visitor, message: str, index: int) -> Download:
        """A file of a reply in the visitor's own conversation; raises NotFoundError, FileMissingError."""
        key = conversation_key(connector.platform, connector.binding.account, visitor.conversation)
        reply = await self._store.reply(message)
        if reply is None or reply.key != key or not 0 <= index < len(reply.files):
            raise NotFoundError("there is no such file in this conversation")
        file = reply.files[index]
        return Download(name=file.name, mime=file.mime, size=file.size, content=self._files.file(file.digest))


def kind_of(content: bytes) -> str | None:
    """The media type that the content itself shows; None for what is not taken."""
    for begin, mime in _BEGINS:
        if content.startswith(begin):
            return mime
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return "text/plain" if all(one.isprintable() or one in "\r\n\t\ufeff" for one in text[:4096]) else None


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


__all__ = ["ChatFiles", "Download", "kind_of"]
