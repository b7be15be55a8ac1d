"""Requests to eBay's REST APIs, and what its answers mean ("Handling errors": a list of `errors` with `errorId`)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal, cast
from urllib.parse import urlencode

import msgspec

from connectors.contract import reading
from connectors.contract.asking import address, answered, told
from connectors.contract.calling import Api, ApiRequest, ApiResponse, DeniedError, checked, needed, without
from connectors.contract.connector import Binding, UnreadableError
from connectors.contract.reading import Document
from connectors.contract.tokens import Tokens, tokens_of

HOST = "https://api.ebay.com"
FORM = "application/x-www-form-urlencoded"
TOKENS = "/identity/v1/oauth2/token"
_NO_PERMISSION = "1100"


class Asking:
    """eBay's APIs for one channel."""

    def __init__(self, binding: Binding, secrets: Sequence[str], api: Api) -> None:
        """`secrets`: values that no error may show."""
        self._binding = binding
        self._secrets = secrets
        self._api = api

    async def message_api(
        self, method: Literal["GET", "POST"], path: str, *, query: Sequence[tuple[str, str]] = (), body: Any = None
    ) -> Document:
        """The answer of a call with the seller's token. Raises the errors of `connectors.contract.calling`."""
        return answered(await self._message_api(method, path, query=query, body=body))

    async def tell(self, path: str, body: Any) -> None:
        """A call whose answer says nothing but that it is well. Raises the errors of `connectors.contract.calling`."""
        await self._message_api("POST", path, body=body)

    async def _message_api(
        self, method: Literal["GET", "POST"], path: str, *, query: Sequence[tuple[str, str]] = (), body: Any = None
    ) -> ApiResponse:
        (token,) = needed(self._binding.settings, "access_token")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = ApiRequest(
            method=method,
            url=f"{self._host()}/commerce/message/v1/{path}",
            query=query,
            headers=headers,
            body=b"" if body is None else msgspec.json.encode(body),
        )
        return self._judged(await self._api.call(request))

    async def public_key(self, kid: str, token: str) -> Document:
        """The answer of `getPublicKey`, asked with an application's token."""
        request = ApiRequest(
            method="GET",
            url=f"{self._host()}/commerce/notification/v1/public_key/{kid}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )
        return answered(self._judged(await self._api.call(request)))

    async def tokens(self, fields: Sequence[tuple[str, str]], *used: str) -> Tokens:
        """What the token endpoint grants; `used`: secrets among the fields that no error may show."""
        name, word = needed(self._binding.settings, "client_id", "client_secret")
        basic = base64.b64encode(f"{name}:{word}".encode()).decode()
        request = ApiRequest(
            method="POST",
            url=f"{self._host()}{TOKENS}",
            headers={"Authorization": f"Basic {basic}", "Content-Type": FORM, "Accept": "application/json"},
            body=urlencode(fields).encode(),
        )
        answer = await self._api.call(request)
        return tokens_of(answer, self._api.now(), (*self._secrets, basic, *used))

    def _host(self) -> str:
        return address(self._binding, "api_url", HOST)

    def _judged(self, response: ApiResponse) -> ApiResponse:
        code, reason = _error(response)
        reason = without(self._secrets, reason)
        if response.status == HTTPStatus.FORBIDDEN and code == _NO_PERMISSION:
            raise DeniedError(f"eBay lacks permission for this ({reason}); authorise the channel anew")
        return checked(response, reason)


def _error(response: ApiResponse) -> tuple[str | None, str]:
    """The number and the words of the first error of an answer; nothing of one without."""
    try:
        found = reading.items(told(response), "errors")
    except UnreadableError:
        found = ()
    if not found or not isinstance(found[0], dict):
        return None, ""
    first = cast("Document", found[0])
    code = reading.optional_identity(first, "errorId")
    words = reading.text(first, "longMessage") or reading.text(first, "message") or ""
    return code, f"{code}: {words}" if code else words
