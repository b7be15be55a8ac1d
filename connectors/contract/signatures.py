"""Comparing what a request claims with what it must be, in constant time.

A secret that is missing or blank proves nothing: anybody could sign with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from connectors.contract.connector import SignatureError, WebhookRequest


def secret(settings: Mapping[str, str], name: str) -> str:
    """The value of the setting that proves requests; raises SignatureError when it is missing or blank."""
    found = settings.get(name, "")
    if not found.strip():
        raise SignatureError(
            f"the channel's setting `{name}` is empty, so nothing proves a request; give it with `weir channel add`"
        )
    return found


def hmac_sha256(key: str, message: bytes) -> bytes:
    """The HMAC-SHA256 of a message (RFC 2104); raises SignatureError when the key is blank."""
    if not key.strip():
        raise SignatureError(
            "the channel's secret is empty, so nothing proves a request; give it with `weir channel add`"
        )
    return hmac.digest(key.encode(), message, hashlib.sha256)


def hex_of(digest: bytes) -> str:
    """Lower-case hexadecimal digits."""
    return digest.hex()


def base64_of(digest: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(digest).decode()


def enclosed_md5(word: str, parameters: Mapping[str, str]) -> str:
    """The MD5 of the secret, the sorted names and values, and the secret again, in upper-case hexadecimal.

    The older way of AliExpress's gateway ("TOP: signature algorithm"); Temu's is said to be the same, which is
    unconfirmed. Raises SignatureError when the secret is blank.
    """
    if not word.strip():
        raise SignatureError("the app's secret is empty, so nothing can be signed; give it with `weir channel add`")
    told = "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    signed = f"{word}{told}{word}".encode("utf-8", "replace")
    return hashlib.md5(signed, usedforsecurity=False).hexdigest().upper()


def require(claimed: str | None, *genuine: str, where: str) -> None:
    """Return when the claim equals one of the genuine values; raises SignatureError naming the header `where`.

    What is blank equals nothing.
    """
    if not claimed or not claimed.strip():
        raise SignatureError(f"the header {where} is missing; is the webhook sent by the platform itself?")
    given = claimed.encode("utf-8", "surrogateescape")
    equal = [hmac.compare_digest(given, value.encode()) for value in genuine]  # all of them, found or not
    if not any(equal):
        raise SignatureError(f"{where} does not match; was the secret changed at the platform?")


def require_app_signature(request: WebhookRequest, settings: Mapping[str, str]) -> None:
    """Return when Authorization is the HMAC of the app key and the body; raises SignatureError.

    In hexadecimal, with the settings `app_key` and `app_secret`: Lazada's "Push Mechanism", TikTok Shop's "Webhooks".
    """
    key, word = (secret(settings, name) for name in ("app_key", "app_secret"))
    genuine = hex_of(hmac_sha256(word, key.encode() + request.body))
    require(request.headers.get("authorization"), genuine, where="Authorization")
