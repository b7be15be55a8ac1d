"""Telegram: how files are sent, one by a method of its kind, several as one album.

After the "Telegram Bot API" (Sending files, sendMediaGroup, InputMedia). An album holds photos and videos, or audio, or
documents: what does not go together goes as documents, which take every file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from connectors.contract.multipart import FilePart, multipart
from connectors.contract.outgoing import OutgoingFile

MOST_FILES = 10
_PHOTO_BYTES = 10 * 2**20


class Method(Struct, frozen=True):
    """How files of some types are sent: the method, the field of the file; any other type is a document."""

    name: str
    field: str


DOCUMENT = Method("sendDocument", "document")
_METHODS: Mapping[str, Method] = {
    "image/jpeg": Method("sendPhoto", "photo"),
    "image/png": Method("sendPhoto", "photo"),
    "image/gif": Method("sendAnimation", "animation"),
    "video/mp4": Method("sendVideo", "video"),
    "audio/mpeg": Method("sendAudio", "audio"),
    "audio/mp4": Method("sendAudio", "audio"),
}


def method_of(file: OutgoingFile) -> Method:
    """How a file is sent by itself."""
    method = _METHODS.get(file.mime.lower(), DOCUMENT)
    return DOCUMENT if method.field == "photo" and file.size > _PHOTO_BYTES else method


async def album(about: Mapping[str, Any], files: Sequence[OutgoingFile]) -> tuple[str, bytes]:
    """The Content-Type and the body that send several files; the caption of `about` stands below the first."""
    caption = {"caption": about["caption"]} if "caption" in about else {}
    kinds = _kinds(files)
    media = [
        {"type": kind, "media": f"attach://file{number}"} | (caption if not number else {})
        for number, kind in enumerate(kinds)
    ]
    parts = [
        FilePart(name=f"file{number}", filename=file.name, mime=file.mime, content=await file.content())
        for number, file in enumerate(files)
    ]
    where = {name: value for name, value in about.items() if name != "caption"}
    return multipart(fields_of({**where, "media": media}), parts)


def fields_of(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Parameters as fields of a form: what is no text as JSON."""
    return [
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in about.items()
    ]


def _kinds(files: Sequence[OutgoingFile]) -> list[str]:
    kinds = [method_of(file).field for file in files]
    together = set(kinds) <= {"photo", "video"} or set(kinds) == {"audio"}
    return kinds if together else [DOCUMENT.field] * len(kinds)


__all__ = ["DOCUMENT", "MOST_FILES", "Method", "album", "fields_of", "method_of"]
