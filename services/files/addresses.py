"""Addresses of files for platforms that fetch them: signed, and good for a while; nothing else gives such a file out.

An address is the channel's own public origin and a token: HMAC-SHA256 over the file's digest, when it expires and its
media type. The key is derived from the vault's (HKDF, RFC 5869), so that every process makes and checks the same.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from msgspec import Struct

from actors.errors import ConfigurationError
from services.channels.secrets import Vault
from services.errors import NotFoundError
from services.files.types import UNKNOWN, extension, family
from storage.channel_ports import FileStore
from storage.channel_records import ReplyFile

PATH = "/files/"
LIFE_MS = 24 * 3_600_000
ROUND_MS = 3_600_000
"""Addresses expire on the full hour, so that a reply which is sent again within it is the same to the byte."""
SHOWN = frozenset(
    {
        "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "audio/mpeg", "audio/ogg", "audio/mp4",
        "audio/aac", "audio/wav", "video/mp4", "video/webm", "video/quicktime",
    }
)  # fmt: skip
"""What is given as what it is, to be shown in place."""
SAVED = frozenset({"application/pdf", "application/msword", "text/plain", "image/heic", "image/tiff", "audio/amr"})
"""What is given as what it is, to be saved. Everything else is bytes: HTML and SVG above all."""
_PURPOSE = b"weir addresses of files\0"
_MAC, _DIGEST, _EXPIRY = 32, 32, 6
_HEAD = _MAC + _DIGEST + _EXPIRY
_LONGEST = 600
_log = structlog.get_logger(__name__)


class Claim(Struct, frozen=True, kw_only=True):
    """What a token says: which file (`digest`: SHA-256 in hexadecimal), as what, until when (ms)."""

    digest: str
    mime: str
    until: int


class PublicFile(Struct, frozen=True, kw_only=True):
    """A file that may be had by its address, `size` in bytes, for `left_ms`. `inline`: it may be shown in place."""

    digest: str
    mime: str
    size: int
    name: str
    inline: bool
    left_ms: int


class Addresses:
    """Makes addresses, and finds what they name."""

    def __init__(self, vault: Vault, files: FileStore, now: Callable[[], int], *, life_ms: int = LIFE_MS) -> None:
        self._vault = vault
        self._files = files
        self._now = now
        self._life = life_ms

    async def address(self, url: str, file: ReplyFile) -> str | None:
        """Where the platform that knows this Weir by `url` may fetch the file; None when there is no such place."""
        origin = public_origin(url)
        keys = await self._keys() if origin else []
        if not keys:
            return None
        expires = self._now() + self._life
        mime = file.mime if file.mime in SHOWN | SAVED else UNKNOWN
        claim = Claim(digest=file.digest, mime=mime, until=expires + -expires % ROUND_MS)
        return f"{origin}{PATH}{signed(keys[0], claim)}"

    async def find(self, token: str) -> PublicFile:
        """The file that a token names. Raises NotFoundError for whatever is wrong with it, RetriableError."""
        claim = claimed(await self._keys(), token)
        size, now = None, self._now()
        if claim is not None and now < claim.until:
            size = await self._files.file_size(claim.digest)
        if claim is None or size is None:
            raise NotFoundError("there is no such file")
        name = f"{family(claim.mime)}-{claim.digest[:8]}.{extension(claim.mime)}"
        return PublicFile(
            digest=claim.digest,
            mime=claim.mime,
            size=size,
            name=name,
            inline=claim.mime in SHOWN,
            left_ms=claim.until - now,
        )

    def read(self, file: PublicFile) -> AsyncIterator[bytes]:
        """The content in pieces; raises FileMissingError."""
        return self._files.file(file.digest)

    async def _keys(self) -> list[bytes]:
        """The one to sign with first; none when they cannot be read."""
        try:
            return await asyncio.to_thread(self._vault.derived, _PURPOSE)
        except ConfigurationError as wrong:
            _log.error("addresses_without_key", reason=str(wrong))
            return []


def signed(key: bytes, claim: Claim) -> str:
    """The token of a claim."""
    body = bytes.fromhex(claim.digest) + claim.until.to_bytes(_EXPIRY, "big") + claim.mime.encode()
    return base64.urlsafe_b64encode(hmac.digest(key, body, sha256) + body).rstrip(b"=").decode()


def claimed(keys: list[bytes], token: str) -> Claim | None:
    """What a token says when one of the keys made it; every key is tried, whichever fits."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) <= _HEAD or base64.urlsafe_b64encode(data).rstrip(b"=").decode() != token:
        return None
    mac, body = data[:_MAC], data[_MAC:]
    if not sum(hmac.compare_digest(mac, hmac.digest(key, body, sha256)) for key in keys):
        return None
    until = int.from_bytes(body[_DIGEST : _DIGEST + _EXPIRY], "big")
    return Claim(digest=body[:_DIGEST].hex(), mime=body[_DIGEST + _EXPIRY :].decode(), until=until)


def public_origin(url: str) -> str | None:
    """Scheme, host and port of an address, when a platform may be sent there: by https, or on this machine alone."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


__all__ = [
    "LIFE_MS",
    "PATH",
    "SAVED",
    "SHOWN",
    "Addresses",
    "Claim",
    "PublicFile",
    "claimed",
    "public_origin",
    "signed",
]
