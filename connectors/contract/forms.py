"""Bodies of requests that are forms: `multipart/form-data` (RFC 7578) and `application/x-www-form-urlencoded`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from msgspec import Struct

URL_ENCODED = "application/x-www-form-urlencoded"
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class FormFile(Struct, frozen=True, kw_only=True):
    """A file in a form: the field's name, the file's, its media type and content."""

    field: str
    name: str
    mime: str
    content: bytes

    def __repr__(self) -> str:
        """Without the content."""
        return f"FormFile(field={self.field!r}, size={len(self.content)})"


def multipart(fields: Mapping[str, str], files: Sequence[FormFile]) -> tuple[str, bytes]:
    """The Content-Type and the body of a form, the same for equal forms. The boundary occurs in no part of it."""
    parts = [(_disposition(name), value.encode("utf-8", "replace")) for name, value in fields.items()]
    for file in files:
        mime = file.mime if file.mime.isascii() and file.mime.isprintable() else "application/octet-stream"
        head = f'{_disposition(file.field)}; filename="{file.name.translate(_ESCAPES)}"\r\nContent-Type: {mime}'
        parts.append((head, file.content))
    boundary = _boundary([content for _, content in parts])
    body = b"".join(
        b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), head.encode("utf-8", "replace"), content)
        for head, content in parts
    )
    return f"multipart/form-data; boundary={boundary}", body + b"--%b--\r\n" % boundary.encode()


def url_encoded(fields: Sequence[tuple[str, str]]) -> bytes:
    """The body of a form without files."""
    return urlencode(fields).encode()


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"'


def _boundary(contents: Sequence[bytes]) -> str:
    """Forty hexadecimal digits made of the content itself, which nobody can put into it beforehand."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "big") + content)
    found = digest.hexdigest()[:40]
    while any(found.encode() in content for content in contents):
        found = hashlib.sha256(found.encode()).hexdigest()[:40]
    return found


__all__ = ["URL_ENCODED", "FormFile", "multipart", "url_encoded"]
