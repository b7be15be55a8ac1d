"""What visitors of a web chat prove themselves with: JSON Web Tokens (RFC 7519) of HMAC-SHA256 (RFC 7515) alone.

A *key* says which visitor a browser is; it lies there for months and is good for one thing, a token. A *token* opens
the chat for a quarter of an hour. The shop proves its logged-in users by `user_hash`, HMAC-SHA256(secret, user id).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Literal, TypeAlias
from uuid import uuid4

import msgspec
from msgspec import Struct

from connectors.contract.connector import SignatureError
from connectors.contract.signatures import hex_of, hmac_sha256, require, secret
from connectors.webchat import Visitor, Webchat, user_of

TOKEN_MS = 15 * 60_000
KEY_MS = 180 * 86_400_000
LONGEST = 2_000
LONGEST_USER = 200
Use: TypeAlias = Literal["key", "token"]
_PURPOSE = b"weir webchat "
_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()


class Claims(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says: of which channel, which visitor in which conversation, for what use, until when (s)."""

    aud: str
    sub: str
    conv: str
    use: Use
    exp: int
    name: str | None = None


def new_visitor() -> Visitor:
    """Somebody nobody knows."""
    own = f"v-{uuid4().hex}"
    return Visitor(id=own, conversation=own)


def proven_user(connector: Webchat, user_id: str, claimed: str, name: str | None) -> Visitor:
    """The user whom the shop says this is; raises SignatureError."""
    genuine = hex_of(hmac_sha256(secret(connector.binding.settings, "secret"), user_id.encode()))
    if not 0 < len(user_id) <= LONGEST_USER:
        raise SignatureError(f"user_id has 1 to {LONGEST_USER} characters")
    require(claimed, genuine, where="user_hash")
    return user_of(user_id, name[:200] if name else None)


def issue(connector: Webchat, visitor: Visitor, use: Use, now: int) -> str:
    """A token or key for a visitor; `now` in ms. Raises SignatureError when the channel has no secret."""
    until = now + (TOKEN_MS if use == "token" else KEY_MS)
    claims = Claims(
        aud=connector.binding.account,
        sub=visitor.id,
        conv=visitor.conversation,
        name=visitor.name,
        use=use,
        exp=until // 1_000,
    )
    signed = f"{_HEADER}.{_encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{_encoded(_mac(connector, use, signed))}"


def visitor_of(connector: Webchat, given: str, use: Use, now: int) -> Visitor:
    """Whom a token or key of this channel speaks for; raises SignatureError when it is forged, over, or another's."""
    head, _, rest = given.partition(".")
    body, _, mac = rest.partition(".")
    if len(given) > LONGEST or head != _HEADER or not body or not mac or not given.isascii():
        raise SignatureError(f"the {use} is none of ours; ask for a session")
    if not hmac.compare_digest(_encoded(_mac(connector, use, f"{head}.{body}")).encode(), mac.encode()):
        raise SignatureError(f"the {use} is none of ours; ask for a session")
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Claims)
    except (msgspec.DecodeError, binascii.Error, ValueError) as wrong:
        raise SignatureError(f"the {use} says nothing") from wrong
    if claims.aud != connector.binding.account or claims.use != use:
        raise SignatureError(f"the {use} is for another channel")
    if claims.exp * 1_000 <= now:
        raise SignatureError(f"the {use} is over; ask for a session")
    return Visitor(id=claims.sub, conversation=claims.conv, name=claims.name)


def _mac(connector: Webchat, use: Use, signed: str) -> bytes:
    """Each use has a key of its own, so that nothing signed for one stands for another, nor for a user's hash."""
    key = hmac.digest(secret(connector.binding.settings, "secret").encode(), _PURPOSE + use.encode(), sha256)
    return hmac.digest(key, signed.encode(), sha256)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


__all__ = ["KEY_MS", "TOKEN_MS", "Claims", "issue", "new_visitor", "proven_user", "visitor_of"]
