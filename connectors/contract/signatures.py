"""Comparing what a request claims with what it must be, in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac

from connectors.contract.connector import SignatureError


def hmac_sha256(key: str, message: bytes) -> bytes:
    """The HMAC-SHA256 of a message (RFC 2104)."""
    return hmac.digest(key.encode(), message, hashlib.sha256)


def hex_of(digest: bytes) -> str:
    """Lower-case hexadecimal digits."""
    return digest.hex()


def base64_of(digest: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(digest).decode()


def require(claimed: str | None, *genuine: str, where: str) -> None:
    """Return when the claim equals one of the genuine values; raises SignatureError naming the header `where`."""
    if not claimed:
        raise SignatureError(f"the header {where} is missing; is the webhook sent by the platform itself?")
    given = claimed.encode("utf-8", "surrogateescape")
    equal = [hmac.compare_digest(given, value.encode()) for value in genuine]  # all of them, found or not
    if not any(equal):
        raise SignatureError(f"{where} does not match; was the secret changed at the platform?")
