"""Problem details (RFC 9457) for every error; never a stack trace, never the input's secrets.

`problem` is the one place that turns an error of any layer into a status: by what the caller should do next.
"""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from actors.errors import ConfigurationError, RejectedError, RetriableError, WeirError
from connectors.contract.connector import SignatureError
from services.errors import (
    ConflictError,
    CredentialsError,
    ForbiddenError,
    NotFoundError,
    TooManyAttemptsError,
)
from services.ingest import BatchTooLargeError, UnreadableBatchError
from streams.ports import OverloadedError

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)

STATUSES: tuple[tuple[type[WeirError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (CredentialsError, HTTPStatus.UNAUTHORIZED),
    (SignatureError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (BatchTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (UnreadableBatchError, HTTPStatus.BAD_REQUEST),
    (RejectedError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooManyAttemptsError, HTTPStatus.TOO_MANY_REQUESTS),
    (OverloadedError, HTTPStatus.TOO_MANY_REQUESTS),
    (RetriableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ConfigurationError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""First match wins; what is not listed is a fault of Weir's own (500)."""


class Problem(HTTPException):
    """An error with its status, raised by routes that know it better than the services do."""


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """A problem details response; `members` are extension members."""
    phrase = HTTPStatus(status)
    body = {"type": "about:blank", "title": phrase.phrase, "status": status, "detail": detail, **members}
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def register(app: FastAPI) -> None:
    """Answer every error of this app with problem details."""
    app.add_exception_handler(WeirError, _weir_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(ClientDisconnect, _gone)


async def answer_to(request: Request, error: WeirError | HTTPException) -> Response:
    """The answer to an error, for routes that add to it."""
    return await (_http_error if isinstance(error, HTTPException) else _weir_error)(request, error)


async def _weir_error(_request: Request, error: Exception) -> Response:
    status = next((s for kind, s in STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    headers: dict[str, str] = {}
    if isinstance(error, OverloadedError | TooManyAttemptsError):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    if isinstance(error, CredentialsError):
        headers["WWW-Authenticate"] = "Bearer"
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request failed", error=type(error).__name__, reason=str(error))
    return problem(status, printable(str(error)), headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(type(error).__name__)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = _stock_detail(request, error.status_code)
    return problem(error.status_code, printable(detail), headers=dict(error.headers or {}))


def _stock_detail(request: Request, status: int) -> str:
    path = request.url.path[:200]
    match status:
        case HTTPStatus.NOT_FOUND:
            return f"nothing is served at {path}; see /api/openapi.json"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{request.method} is not served at {path}; see the Allow header"
        case _:
            return HTTPStatus(status).description or HTTPStatus(status).phrase


async def _invalid_request(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError(type(error).__name__)
    errors = [
        {"where": ".".join(str(part) for part in item["loc"]), "error": str(item["msg"])} for item in error.errors()
    ]
    detail = "; ".join(f"{item['where']}: {item['error']}" for item in errors) or "the request is not valid"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, printable(detail), errors=errors)


async def _gone(_request: Request, _error: Exception) -> Response:
    """Nobody hears this answer: the sender left before its body was complete."""
    return problem(HTTPStatus.BAD_REQUEST, "the body ended too early; nothing was accepted")


def fault(error: Exception, method: str) -> Response:
    """The answer to an error that nothing foresaw; the error itself goes to the log only."""
    _log.error("unexpected error", method=method, error=type(error).__name__, exc_info=error)
    detail = "something in Weir failed; it is in the log, with the id in X-Request-Id"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def printable(text: str) -> str:
    """The text without lone surrogates, so that it can always be encoded."""
    return text.encode("utf-8", "replace").decode("utf-8")
