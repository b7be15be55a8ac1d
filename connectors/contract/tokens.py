"""Answers of token endpoints that keep to OAuth 2.0 (RFC 6749, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import Struct

from connectors.contract import reading
from connectors.contract.asking import answered, told
from connectors.contract.calling import ApiResponse, DeniedError, UncertainError, checked, without

_OVER = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"})


class Tokens(Struct, frozen=True, kw_only=True):
    """What an endpoint granted; times in ms, None where it tells none."""

    access: str
    refresh: str | None = None
    expires_at: int | None = None
    refresh_by: int | None = None
    scopes: frozenset[str] | None = None

    def __repr__(self) -> str:
        """Without the tokens."""
        return f"Tokens(expires_at={self.expires_at!r})"


def tokens_of(response: ApiResponse, now: int, secrets: Sequence[str]) -> Tokens:
    """The tokens of an answer that came at `now` (ms); `secrets`: what no error may show.

    Raises DeniedError when the grant holds no more or the app is not accepted, UncertainError for an answer that says
    nothing: a token that is good for once may be used up.
    """
    found = told(response)
    error, about = (reading.text(found, name) or "" for name in ("error", "error_description"))
    reason = without(secrets, ": ".join(filter(None, (error, about))))
    if response.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED) and error in _OVER:
        raise DeniedError(f"the platform grants no tokens: {reason}; authorise the channel anew")
    found = answered(checked(response, reason))
    access = reading.text(found, "access_token")
    if not access:
        raise UncertainError("the platform's answer holds no token; authorise the channel anew if this stays so")
    scopes = reading.text(found, "scope")
    return Tokens(
        access=access,
        refresh=reading.text(found, "refresh_token") or None,
        expires_at=_later(now, reading.number(found, "expires_in")),
        refresh_by=_later(now, reading.number(found, "refresh_token_expires_in")),
        scopes=frozenset(scopes.replace(",", " ").split()) if scopes else None,
    )


def _later(now: int, seconds: float | None) -> int | None:
    return now + int(min(seconds, 1e10) * 1_000) if seconds is not None and seconds > 0 else None


__all__ = ["Tokens", "tokens_of"]
