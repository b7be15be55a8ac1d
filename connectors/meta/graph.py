"""The Graph API: requests with a channel's access, and what its errors mean.

After Meta's "Graph API: Handle Errors", "Messenger Platform: Common Error Codes", "WhatsApp Cloud API: Error Codes"
and "Secure Graph API Calls". Codes tell more than statuses do. A permission that is missing may be about one person
only, so it refuses the one request and does not end the channel's authorisation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from actors.errors import PermanentError, RetriableError
from connectors.contract import reading
from connectors.contract.asking import address, answered, says_yes, told
from connectors.contract.calling import (
    Api,
    ApiRequest,
    ApiResponse,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    checked,
    needed,
    retry_after,
    without,
)
from connectors.contract.connector import Connector, Setting
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.reading import Document

HOST = "https://graph.facebook.com"
VERSION = "v25.0"
ACCESS_TOKEN = Setting(
    name="access_token",
    about="the token that replies are sent and history is read with; without it the channel only receives",
    required=False,
)
API_VERSION = Setting(
    name="api_version",
    about=f"version of the Graph API; {VERSION} otherwise",
    secret=False,
    required=False,
)
APP_SECRET_PROOF = Setting(
    name="app_secret_proof",
    about="yes when the app's setting Require app secret is on: requests then carry a proof made with app_secret",
    secret=False,
    required=False,
)
APP_ID = Setting(
    name="app_id",
    about="the app's id, beside app_secret in its dashboard: for authorising in a browser, and to be told of a token's"
    " end before it comes",
    secret=False,
    required=False,
)
_UPLOAD_S = 60.0
_TOKEN = frozenset({"0", "102", "190", "131005"})
_RAN_OUT = frozenset({None, "463"})
"""Subcodes of a token that has expired, or that nothing is told of; all others mean that it was taken away."""
_BUSY: Mapping[str, float] = {
    **dict.fromkeys(["4", "17", "32", "341", "613", *map(str, range(80_000, 80_015))], 60.0),
    "130429": 2.0,
    "131056": 6.0,
    "131057": 60.0,
    "133016": 3_600.0,
}
"""Codes of limits and the seconds to wait when none are told; 131056: one message to one person in 6 s."""
_UNKNOWN = frozenset({"1", "2", "1200", "131000", "131016"})
"""Codes of failures within Meta: what was asked may have been done."""


class Graph:
    """The Graph API as one channel asks it. Every method raises the errors of `connectors.contract.calling`."""

    def __init__(self, connector: Connector, api: Api, *, host: str = HOST, token: str | None = None) -> None:
        """`token`: in place of the channel's own; RefusedError when there is neither."""
        settings = connector.binding.settings
        self._api = api
        self._token = token or needed(settings, ACCESS_TOKEN.name)[0]
        self._base = f"{address(connector.binding, 'api_url', host)}/{settings.get(API_VERSION.name) or VERSION}"
        self._secrets = [settings.get(one.name, "") for one in connector.settings if one.secret] + [self._token]
        proved = says_yes(connector.binding, APP_SECRET_PROOF.name)
        self._proof = [("appsecret_proof", proof(settings.get("app_secret", ""), self._token))] if proved else []

    async def get(self, *path: str, query: Sequence[tuple[str, str]] = ()) -> Document:
        """What is read at a path, whose parts are ids from anywhere."""
        request = ApiRequest(
            method="GET", url=self._url(path), query=[*query, *self._proof], headers=self.authorisation()
        )
        return await self._asked(request)

    async def post(self, *path: str, body: Mapping[str, Any]) -> Document:
        """What comes of posting JSON to a path."""
        request = ApiRequest(
            method="POST",
            url=self._url(path),
            query=self._proof,
            headers={**self.authorisation(), "Content-Type": "application/json"},
            body=msgspec.json.encode(body),
        )
        return await self._asked(request)

    async def upload(self, *path: str, fields: Sequence[tuple[str, str]], file: FilePart) -> Document:
        """What comes of posting a form with a file to a path."""
        kind, body = multipart(fields, [file])
        request = ApiRequest(
            method="POST",
            url=self._url(path),
            query=self._proof,
            headers={**self.authorisation(), "Content-Type": kind},
            body=body,
            timeout_s=_UPLOAD_S,
        )
        return await self._asked(request)

    def authorisation(self) -> dict[str, str]:
        """The header that every request has, also one for a file."""
        return {"Authorization": f"Bearer {self._token}"}

    def _url(self, path: Sequence[str]) -> str:
        return "/".join([self._base, *(quote(part, safe="") for part in path)])

    async def _asked(self, request: ApiRequest) -> Document:
        return judged(await self._api.call(request), self._secrets)


def judged(response: ApiResponse, secrets: Sequence[str]) -> Document:
    """What an answer holds; raises what its error or status means."""
    found = told(response)
    error = reading.optional_part(found, "error")
    if error:
        raise failure(response, error, secrets)
    checked(response, without(secrets, reading.text(found, "error_message") or ""))
    return answered(response)


def failure(response: ApiResponse, error: Document, secrets: Sequence[str]) -> RetriableError | PermanentError:
    """What an error of the Graph API means."""
    code, subcode = reading.optional_identity(error, "code"), reading.optional_identity(error, "error_subcode")
    known = f"{code}/{subcode}" if code and subcode else code or str(response.status)
    details = reading.text(reading.optional_part(error, "error_data"), "details")
    said = details or reading.text(error, "error_user_msg") or reading.text(error, "message") or "no reason"
    reason = without(secrets, f"Meta answers {response.status}, code {known}: {said}")
    if code in _TOKEN:
        return DeniedError(reason, revoked=subcode not in _RAN_OUT)
    if (wait := _BUSY.get(code or "")) is not None:
        return BusyError(reason, retry_after(response) or wait)
    if code in _UNKNOWN:
        return UncertainError(reason)
    if code is None:
        return _by_status(response, reason)
    return RefusedError(reason, known)


def _by_status(response: ApiResponse, reason: str) -> RetriableError | PermanentError:
    try:
        checked(response, reason)
    except (RetriableError, PermanentError) as meant:
        return meant
    return UncertainError(reason)


def proof(app_secret: str, token: str) -> str:
    """The `appsecret_proof` of a token: HMAC-SHA256 in hexadecimal, keyed with the app's secret."""
    return hmac.digest(app_secret.encode(), token.encode(), hashlib.sha256).hex()


def ascii_name(name: str) -> str:
    """A file's name as Meta takes it: characters beyond ASCII become underscores."""
    return "".join(one if one.isascii() and one.isprintable() else "_" for one in name) or "file"


__all__ = [
    "ACCESS_TOKEN",
    "API_VERSION",
    "APP_ID",
    "APP_SECRET_PROOF",
    "HOST",
    "VERSION",
    "Graph",
    "ascii_name",
    "failure",
    "judged",
    "proof",
]
