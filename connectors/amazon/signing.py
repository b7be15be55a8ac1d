"""Signing a request as Amazon Web Services want it: "AWS Signature Version 4 for API requests" (AWS4-HMAC-SHA256).

The Selling Partner API needs none of it any more; a queue of the seller's own does.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from connectors.contract.calling import ApiRequest

ALGORITHM = "AWS4-HMAC-SHA256"


class Keys(Struct, frozen=True, kw_only=True):
    """Who signs, and what for."""

    access: str
    secret: str
    region: str
    service: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Keys({self.access!r}, {self.region!r}, {self.service!r})"


def signed(request: ApiRequest, keys: Keys, now: int) -> ApiRequest:
    """The request with its time (`now`, ms) and its signature, which covers every header it has."""
    stamp = datetime.fromtimestamp(now / 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(request.url)
    headers = {**request.headers, "X-Amz-Date": stamp}
    covered = {name.lower(): " ".join(value.split()) for name, value in headers.items()} | {"host": parts.netloc}
    names = ";".join(sorted(covered))
    canonical = "\n".join(
        (
            request.method,
            quote(parts.path or "/", safe="/-_.~"),
            "&".join(sorted("=".join(quote(part, safe="-_.~") for part in pair) for pair in request.query)),
            *(f"{name}:{covered[name]}" for name in sorted(covered)),
            "",
            names,
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{keys.region}/{keys.service}/aws4_request"
    told = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = _hmac(_key(keys, stamp[:8]), told).hex()
    proof = f"{ALGORITHM} Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    return replace(request, headers={**headers, "Authorization": proof})


def _key(keys: Keys, day: str) -> bytes:
    """The secret, for one day, region and service."""
    key = f"AWS4{keys.secret}".encode()
    for told in (day, keys.region, keys.service, "aws4_request"):
        key = _hmac(key, told)
    return key


def _hmac(key: bytes, told: str) -> bytes:
    return hmac.digest(key, told.encode(), hashlib.sha256)


__all__ = ["Keys", "signed"]
