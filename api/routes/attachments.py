"""Files that came with messages: given out as what they were found to be, never as a page, and fetched again.

A browser takes such a file for nothing but what its header says (`nosniff`), and runs nothing in it (`sandbox`).
"""

import re
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from api.asking import Operator, Parts, key_of, needs, rest_of_path, seen
from api.description import path_of
from api.views import answer
from services.errors import NotFoundError
from services.files.serving import HeldFile
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["attachments"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
CONVERSATIONS = "/api/v1/conversations/"
OF_ONE = "/conversations/{key:path}/messages/{message:path}/attachments/{attachment:path}"
NAMED = path_of(
    key="platform/account/conversation; `/` inside a part as %2F",
    message="The platform's own id.",
    attachment="The file's id within its message.",
)
INLINE = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/bmp",
        "audio/mpeg",
        "audio/ogg",
        "audio/mp4",
        "audio/aac",
        "audio/wav",
        "audio/webm",
        "audio/flac",
        "video/mp4",
        "video/webm",
        "video/quicktime",
        "application/pdf",
    }
)
"""What may be shown in place; everything else is saved."""
POLICY = "default-src 'none'; sandbox"
A_DAY = "private, max-age=86400, immutable"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Place(Struct, frozen=True):
    """Which file is meant, as the path has it; `tail`: what stands after it."""

    key: str
    message: str
    attachment: str
    tail: str


@router.get(f"{OF_ONE}/thumb", summary="A small picture of a file", openapi_extra=NAMED)
async def thumb(request: Request, parts: Parts, caller: Reader) -> Response:
    """At most 320 pixels a side, WebP."""
    return await file(request, parts, caller)


@router.get(OF_ONE, summary="A file that came with a message", openapi_extra=NAMED)
async def file(request: Request, parts: Parts, caller: Reader) -> Response:
    """Only where its status is `ok`, or `unsupported`: then it is to be saved. `Range` is understood."""
    place = place_of(request)
    await seen(parts, caller, place.key)
    held = await parts.attachment_files.find(
        place.key, place.message, place.attachment, thumbnail=place.tail == "thumb"
    )
    tag = f'"{held.digest}"'
    headers = {
        "ETag": tag,
        "Cache-Control": A_DAY,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Disposition": f'{_disposition(held)}; filename="{held.name}"',
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    first, last = _range(request, held.size, tag)
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{held.size}"})
    headers["Content-Length"] = str(last - first + 1)
    status = 200
    if last - first + 1 < held.size:
        status, headers["Content-Range"] = 206, f"bytes {first}-{last}/{held.size}"
    pieces: AsyncIterator[bytes] = parts.attachment_files.read(held, first, last - first + 1)
    return StreamingResponse(pieces, status_code=status, headers=headers, media_type=_media_type(held))


@router.post(f"{OF_ONE}/refetch", summary="Fetch a file again that did not come", status_code=202, openapi_extra=NAMED)
async def refetch(request: Request, parts: Parts, caller: Operator) -> Response:
    """From its platform, as soon as it may be asked; an `ok` closes the anomaly. 409 when the file is there."""
    place = place_of(request)
    if place.tail != "refetch":
        raise NotFoundError("there is no such file")
    await seen(parts, caller, place.key)
    await parts.attachments.refetch(caller, place.key, place.message, place.attachment)
    return answer({"attachment": place.attachment, "state": "queued"}, 202)


def place_of(request: Request) -> Place:
    """The file in the path, read while it is still percent-encoded; raises NotFoundError."""
    segments = rest_of_path(request, CONVERSATIONS)
    tail = segments.pop() if len(segments) > 2 and segments[-3] == "attachments" else ""  # noqa: PLR2004
    *key, messages, message, attachments, attachment = segments if len(segments) > 4 else [""] * 5  # noqa: PLR2004
    if (messages, attachments) != ("messages", "attachments") or tail not in {"", "thumb", "refetch"}:
        raise NotFoundError("a file's path is …/messages/{message}/attachments/{attachment}, `/` inside a part as %2F")
    return Place(key_of(key), unquote(message), unquote(attachment), tail)


def _disposition(held: HeldFile) -> str:
    return "inline" if held.sound and held.mime in INLINE else "attachment"


def _media_type(held: HeldFile) -> str:
    """What is not shown in place is told as bytes, so that no program opens it by its type."""
    return held.mime if _disposition(held) == "inline" else "application/octet-stream"


def _range(request: Request, size: int, tag: str) -> tuple[int, int]:
    """The first and the last byte wanted (RFC 9110, 14.2); the first after the last when there are none such."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or found[0] == "bytes=-" or request.headers.get("if-range", tag) != tag:
        return 0, size - 1
    if not found[1]:
        return (max(0, size - int(found[2])), size - 1) if int(found[2]) else (1, 0)
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    return (int(found[1]), last) if not found[2] or int(found[2]) >= int(found[1]) else (0, size - 1)
