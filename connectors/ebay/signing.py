"""eBay's signatures of notifications, after "Notification API overview" and eBay's SDKs of event notifications.

The header holds base64 of JSON: `kid` names a public key, `signature` is ECDSA over the compact JSON body, in DER.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from connectors.contract import reading
from connectors.contract.connector import SignatureError, UnreadableError
from connectors.contract.reading import Document

HEADER = "x-ebay-signature"
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_HEADER = 4_096
_FRAME = re.compile(r"-----[A-Z ]+-----|\s")
_DIGESTS: dict[str, type[hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "SHA1": hashes.SHA1,
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}


class Claim(Struct, frozen=True, kw_only=True):
    """What a header claims: signed with the key `kid`."""

    kid: str
    signature: bytes


class Key(Struct, frozen=True, kw_only=True):
    """A public key of eBay's and the digest that goes with it."""

    public: ec.EllipticCurvePublicKey
    digest: str


def claim_of(header: str | None) -> Claim:
    """What the header X-EBAY-SIGNATURE claims; raises SignatureError."""
    if not header or len(header) > _LONGEST_HEADER:
        raise SignatureError("the header X-EBAY-SIGNATURE is missing; is the notification sent by eBay itself?")
    try:
        found = reading.document(base64.b64decode(header, validate=True))
        kid = reading.identity(found, "kid")
        signature = base64.b64decode(reading.identity(found, "signature"), validate=True)
    except (UnreadableError, binascii.Error, ValueError) as wrong:
        raise SignatureError("the header X-EBAY-SIGNATURE cannot be read; does a proxy change it?") from wrong
    if not _KID.fullmatch(kid):
        raise SignatureError("the header X-EBAY-SIGNATURE names no key")
    return Claim(kid=kid, signature=signature)


def key_of(told: Document) -> Key:
    """The key of an answer of `getPublicKey`, whose PEM is one line; raises UnreadableError."""
    digest = (reading.text(told, "digest") or "").upper().replace("-", "")
    if digest not in _DIGESTS:
        raise UnreadableError("'digest' names none that is known here")
    try:
        key = load_der_public_key(base64.b64decode(_FRAME.sub("", reading.text(told, "key") or ""), validate=True))
    except (ValueError, binascii.Error) as wrong:
        raise UnreadableError("'key' is no public key") from wrong
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UnreadableError("'key' is not one of elliptic curves")
    return Key(public=key, digest=digest)


def require(claim: Claim, key: Key, body: bytes) -> None:
    """Return when the key signed this body; raises SignatureError."""
    for signed in _forms(body):
        try:
            key.public.verify(claim.signature, signed, ec.ECDSA(_DIGESTS[key.digest]()))
        except InvalidSignature:
            continue
        return
    raise SignatureError("X-EBAY-SIGNATURE does not match; does a proxy change the body?")


def _forms(body: bytes) -> Iterator[bytes]:
    """The bytes as they came, and the compact JSON that is signed, should they differ."""
    yield body
    try:
        found = cast("object", json.loads(body))
        compact = json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # no JSON, or text that is no Unicode: nothing eBay would sign
        return
    if compact != body:
        yield compact
