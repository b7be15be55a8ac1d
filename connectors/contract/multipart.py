"""Forms with files, as browsers send them: multipart/form-data (RFC 7578), names escaped as in the HTML standard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import Struct

_ESCAPED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class FilePart(Struct, frozen=True, kw_only=True):
    """One file of a form: the field's `name`, the file's name, media type and content."""

    name: str
    filename: str
    mime: str
    content: bytes


def multipart(fields: Sequence[tuple[str, str]] = (), files: Sequence[FilePart] = ()) -> tuple[str, bytes]:
    """The Content-Type and the body of a form. The same form gives the same bytes."""
    parts = [(_disposition(name), value.encode()) for name, value in fields]
    for file in files:
        named = f'{_disposition(file.name)}; filename="{file.filename.translate(_ESCAPED)}"'
        parts.append((f"{named}\r\nContent-Type: {_media_type(file.mime)}", file.content))
    boundary = _boundary([content for _, content in parts])
    body = b"".join(
        b"--" + boundary + b"\r\n" + head.encode("utf-8", "replace") + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return f"multipart/form-data; boundary={boundary.decode()}", body + b"--" + boundary + b"--\r\n"


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name.translate(_ESCAPED)}"'


def _media_type(mime: str) -> str:
    """The type itself when it can stand in a header."""
    return mime if mime.isascii() and mime.isprintable() and mime else "application/octet-stream"


def _boundary(contents: Sequence[bytes]) -> bytes:
    """What stands in none of the contents: a digest of them all."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "big") + content)
    return b"weir-" + digest.hexdigest()[:40].encode()


__all__ = ["FilePart", "multipart"]
