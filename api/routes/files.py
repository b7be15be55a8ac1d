"""Files to be sent with replies: kept first, then named by their digest in a reply."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Parts, needs
from api.problems import Problem
from api.views import answer
from services.files.outgoing import shown_name
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["replies"])
Replier = Annotated[Caller, Depends(needs("reply"))]
FORM = "multipart/form-data"
OVERHEAD = 64 * 1024
"""What a form adds to its file."""
SENT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        },
    }
}


@router.post("/files", summary="Keep a file to be sent with a reply", status_code=201, openapi_extra=SENT)
async def keep(
    request: Request,
    parts: Parts,
    caller: Replier,
    name: Annotated[str, Query(max_length=1024, description="The file's name, when the body is the file alone.")] = "",
) -> Response:
    """The file alone, or a form with one. Its media type is found out from its content, whatever is claimed."""
    most = parts.outgoing_files.most_bytes
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > most + OVERHEAD:
        raise Problem(413, f"the file is larger than {most / 2**20:g} MB; compress it")
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == FORM.encode():
        form = FormFile(options.get(b"boundary", b""))
        kept = await parts.outgoing_files.keep(caller, name, form.pieces(request.stream()))
        kept = msgspec.structs.replace(kept, name=shown_name(form.name or name, kept.mime))
    else:
        kept = await parts.outgoing_files.keep(caller, name, request.stream())
    return answer(msgspec.to_builtins(kept), 201)


class FormFile:
    """The first file of a form, piece by piece as it comes; other fields are passed over."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise RejectedError("the form's Content-Type names no boundary")
        self.found = False
        self.name = ""
        self._header, self._value, self._inside = b"", b"", False
        self._pieces: list[bytes] = []
        calls: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }
        self._parser = MultipartParser(boundary, calls)

    async def pieces(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The file's bytes; raises RejectedError for what is no form."""
        async for part in body:
            try:
                self._parser.write(part)
            except ValueError as wrong:
                raise RejectedError(f"the body is no form: {wrong}") from wrong
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece

    def _begin(self) -> None:
        self._header = self._value = b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.found:
            _, options = parse_options_header(self._value)
            if b"filename" in options:
                self.found = self._inside = True
                self.name = options[b"filename"].decode("utf-8", "replace")
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._pieces.append(data[start:end])

    def _end(self) -> None:
        self._inside = False
