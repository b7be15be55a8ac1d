"""Asking a platform's API: one request, one answer, and errors named by what to do next.

WeirError
├── RetriableError
│   ├── UnreachableError   certainly not carried out: try again
│   │   └── BusyError      too much at once: try again after `retry_after`
│   └── UncertainError     perhaps carried out: a question may be asked again, a message must not be sent again
└── PermanentError
    ├── DeniedError        the authorisation holds no more: somebody must authorise anew
    └── RefusedError       the platform will never do this: say why
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Literal, Protocol

from msgspec import Struct, field

from actors.errors import PermanentError, RetriableError

MOST_BYTES = 8 * 2**20
_LONGEST_REASON = 500
_SETTING_MISSING = "setting_missing"


class UnreachableError(RetriableError):
    """The request was certainly not carried out: no connection, or the platform put it off."""


class BusyError(UnreachableError):
    """The platform wants fewer requests: nothing was done; come back after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float = 5.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UncertainError(RetriableError):
    """The request went out and no answer came, or an answer that says nothing: it may have been carried out."""


class DeniedError(PermanentError):
    """The platform does not accept the channel's authorisation any more. `revoked`: taken away, not run out."""

    def __init__(self, reason: str, *, revoked: bool = False) -> None:
        super().__init__(reason)
        self.revoked = revoked


class RefusedError(PermanentError):
    """The platform understood the request and will not carry it out, now or later; `code`: its own."""

    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.code = code


class ApiRequest(Struct, frozen=True, kw_only=True):
    """One HTTP request. `query` keeps its order and repeated names; `most`: the longest answer taken, bytes."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    most: int = MOST_BYTES
    timeout_s: float = 15.0

    def __repr__(self) -> str:
        """The host alone: path, query, headers and body may hold secrets and what customers wrote."""
        host = re.split("[/?#]", self.url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
        return f"ApiRequest({self.method} {host})"


class ApiResponse(Struct, frozen=True, kw_only=True):
    """The answer; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


class Api(Protocol):
    """How a connector reaches its platform, for one channel: time-outs, the account's rate limit, no retries."""

    def now(self) -> int:
        """The time, ms."""
        ...

    async def call(self, request: ApiRequest) -> ApiResponse:
        """The answer, whatever its status; redirects are not followed.

        Raises UnreachableError when nothing was sent, UncertainError when no whole answer came.
        """
        ...


def checked(response: ApiResponse, reason: str = "") -> ApiResponse:
    """The answer itself when its status is 2xx; else raises what the status means, with the platform's `reason`.

    401 is DeniedError; 408 and 429 BusyError; 5xx UncertainError, apart from 503 with Retry-After, which is a
    BusyError; every other RefusedError. Platforms that speak otherwise judge by themselves first.
    """
    status = response.status
    told = f"the platform answers {status}" + (f": {reason[:_LONGEST_REASON]}" if reason else "")
    after = retry_after(response)
    match status:
        case _ if HTTPStatus(200) <= status < HTTPStatus(300):
            return response
        case HTTPStatus.UNAUTHORIZED:
            raise DeniedError(told)
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.REQUEST_TIMEOUT:
            raise BusyError(told, after or 5.0)
        case HTTPStatus.SERVICE_UNAVAILABLE if after is not None:
            raise BusyError(told, after)
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UncertainError(told)
        case _:
            raise RefusedError(told, str(status))


def needed(settings: Mapping[str, str], *names: str) -> list[str]:
    """The values of these settings, in this order; raises RefusedError naming the first that is missing or blank."""
    for name in names:
        if not settings.get(name, "").strip():
            raise RefusedError(
                f"the channel's setting `{name}` is empty, and the platform's API cannot be asked without it; authorise"
                " the channel, or give the setting with `weir channel add`",
                _SETTING_MISSING,
            )
    return [settings[name] for name in names]


def without(secrets: Sequence[str], told: str) -> str:
    """What a platform told, as one line of at most 500 characters in which none of these secrets stands."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        told = told.replace(secret, "…")
    return " ".join("".join(one if one.isprintable() else " " for one in told).split())[:_LONGEST_REASON]


@contextmanager
def before_sending() -> Generator[None]:
    """Around what is done before the one request that sends: however it fails, nothing was sent."""
    try:
        yield
    except UncertainError as failed:
        raise UnreachableError(str(failed)) from failed


@contextmanager
def renewing() -> Generator[None]:
    """Around asking for tokens anew: a platform that refuses them accepts the channel's authorisation no more."""
    try:
        yield
    except RefusedError as refused:
        if refused.code == _SETTING_MISSING:
            raise
        raise DeniedError(str(refused)) from refused


def retry_after(response: ApiResponse) -> float | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3), at most an hour; None without one in seconds."""
    found = response.headers.get("retry-after", "").strip()
    return min(float(found), 3_600.0) if found.isascii() and found.isdigit() else None


__all__ = [
    "MOST_BYTES",
    "Api",
    "ApiRequest",
    "ApiResponse",
    "BusyError",
    "DeniedError",
    "RefusedError",
    "UncertainError",
    "UnreachableError",
    "before_sending",
    "checked",
    "needed",
    "renewing",
    "retry_after",
    "without",
]
