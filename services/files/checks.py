"""What a file that came with a message is worth: whole, what was announced, and readable; or why not, and the cure."""

from __future__ import annotations

from typing import Any, BinaryIO, Literal, TypeAlias

from msgspec import Struct

from actors.events import Attachment
from services.files.thumbnails import READABLE, Pictures, Seen
from services.files.types import UNKNOWN, family, sniffed

Status: TypeAlias = Literal["ok", "failed", "expired", "unsupported", "too_large", "corrupt"]
Cure: TypeAlias = Literal["re_fetch", "convert", "ask_customer"]
Reason: TypeAlias = Literal[
    "empty",
    "hash_differs",
    "size_differs",
    "not_the_file",
    "undecodable",
    "truncated",
    "too_many_pixels",
    "too_costly",
    "too_large",
    "expired_url",
    "unreachable",
    "private_address",
    "refused",
    "no_way",
    "unbound",
]
_MEDIA = frozenset({"image", "audio", "video"})
_PAGES = frozenset({"text/html", "text/plain", "application/json"})
"""What a server answers that has no file."""
_SYNONYMS = {"photo": "image", "picture": "image", "voice": "audio", "video_note": "video"}
"""Platforms' own words for kinds."""
_DRAWN = "image/svg+xml"


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of a file. `keep`: whether people may have it; `thumbnail`: a small picture of it."""

    status: Status
    reason: Reason | None = None
    cure: Cure | None = None
    mime: str | None = None
    width: int | None = None
    height: int | None = None
    keep: bool = False
    thumbnail: bytes = b""

    def detail(self) -> dict[str, Any]:
        """As the `attachment` event tells it, apart from where the file is kept."""
        names = ("reason", "cure", "mime", "width", "height")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class Fetched(Struct, frozen=True, kw_only=True):
    """A whole file as it came: open on the disk, its first bytes, its size and its SHA-256 in hexadecimal."""

    file: BinaryIO
    head: bytes
    size: int
    digest: str


async def judged(fetched: Fetched, announced: Attachment, pictures: Pictures) -> Verdict:
    """What the file is worth, beside what was announced."""
    if fetched.size == 0:
        return Verdict(status="corrupt", reason="empty", cure="ask_customer")
    if announced.sha256 is not None and announced.sha256.lower() != fetched.digest:
        return Verdict(status="corrupt", reason="hash_differs", cure="re_fetch")
    mime = sniffed(fetched.head)
    wanted = _announced_family(announced)
    if wanted in _MEDIA and mime in _PAGES:
        return Verdict(status="corrupt", reason="not_the_file", cure="re_fetch", mime=mime)
    if mime in READABLE:
        return _picture(mime, await pictures.thumbnail(fetched.file))
    return _other(mime, wanted, fetched, announced)


def _other(mime: str, wanted: str, fetched: Fetched, announced: Attachment) -> Verdict:
    """A file that is not decoded here."""
    if announced.size is not None and fetched.size < announced.size:
        return Verdict(status="corrupt", reason="size_differs", cure="re_fetch", mime=mime)
    if family(mime) == "image" and mime != _DRAWN:
        return Verdict(status="unsupported", reason="undecodable", cure="convert", mime=mime, keep=True)
    if wanted == "image" and mime == UNKNOWN:
        return Verdict(status="corrupt", reason="undecodable", cure="ask_customer", mime=mime)
    return Verdict(status="ok", mime=_told(mime, announced), keep=True)


def _picture(mime: str, seen: Seen) -> Verdict:
    match seen.trouble:
        case None:
            return Verdict(status="ok", mime=mime, width=seen.width, height=seen.height, keep=True, thumbnail=seen.made)
        case "too_many_pixels" | "too_costly":
            return Verdict(status="unsupported", reason=seen.trouble, cure="ask_customer", mime=mime)
        case "undecodable" | "truncated":
            return Verdict(status="corrupt", reason=seen.trouble, cure="re_fetch", mime=mime)


def _announced_family(announced: Attachment) -> str:
    found = family(announced.mime or announced.kind or "")
    return _SYNONYMS.get(found, found)


def _told(mime: str, announced: Attachment) -> str:
    """One container may hold sound or film, and a sound is what it was announced as."""
    if mime in {"video/mp4", "video/webm"} and _announced_family(announced) == "audio":
        return mime.replace("video", "audio")
    return mime


__all__ = ["Cure", "Fetched", "Reason", "Status", "Verdict", "judged"]
