"""What files are called: the SHA-256 of their content in hexadecimal (FIPS 180-4). It is proved while they are kept."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from hashlib import sha256

from actors.errors import RejectedError

PIECE_BYTES = 256 * 1024
_DIGEST = re.compile("[0-9a-f]{64}")
_NAMED = re.compile(r'"(?:digest|thumb)":"([0-9a-f]{64})"')


def checked_digest(digest: str) -> str:
    """The digest itself, safe as the name of a file; raises RejectedError for anything else."""
    if not _DIGEST.fullmatch(digest):
        raise RejectedError(f"{digest[:80]!r} names no file; give the 64 small hexadecimal digits of its SHA-256")
    return digest


async def proved_pieces(digest: str, content: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The content in pieces of PIECE_BYTES, the last one shorter. Raises RejectedError at its end if it is another's.

    What was made of the pieces until then is to be thrown away.
    """
    found = sha256()
    rest = bytearray()
    async for part in content:
        found.update(part)
        rest += part
        whole = len(rest) - len(rest) % PIECE_BYTES
        for start in range(0, whole, PIECE_BYTES):
            yield bytes(rest[start : start + PIECE_BYTES])
        del rest[:whole]
    if found.hexdigest() != digest:
        raise RejectedError(
            f"the content of a file is not that of its digest {digest}: it was cut off, or is another's"
        )
    if rest:
        yield bytes(rest)


def named_in(told: str | None) -> list[str]:
    """The files that a record names, as JSON without white space: as `digest`, or as `thumb` of one."""
    return list(dict.fromkeys(_NAMED.findall(told or "")))


__all__ = ["PIECE_BYTES", "checked_digest", "named_in", "proved_pieces"]
