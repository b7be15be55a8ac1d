"""Requests to Mercado Libre's API, and what its answers mean: `message`, `error` and `cause` beside the status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from connectors.contract import reading
from connectors.contract.asking import address, answered, told
from connectors.contract.calling import Api, ApiRequest, ApiResponse, RefusedError, checked, needed, without
from connectors.contract.connector import Binding
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.outgoing import OutgoingFile
from connectors.contract.reading import Document
from connectors.contract.tokens import Tokens, tokens_of

HOST = "https://api.mercadolibre.com"
TAG = ("tag", "post_sale")
FORM = "application/x-www-form-urlencoded"


class Asking:
    """Mercado Libre's API for one channel."""

    def __init__(self, binding: Binding, secrets: Sequence[str], api: Api) -> None:
        """`secrets`: values that no error may show."""
        self._binding = binding
        self._secrets = secrets
        self._api = api

    async def get(self, path: str, *query: tuple[str, str]) -> Document:
        """The answer of a GET. Raises the errors of `connectors.contract.calling`."""
        return answered(await self._called("GET", path, query))

    async def post(self, path: str, body: Any, *query: tuple[str, str]) -> Document:
        """The answer of a POST of JSON."""
        content = ("application/json", msgspec.json.encode(body))
        return answered(await self._called("POST", path, query, content))

    async def upload(self, file: OutgoingFile, site: str) -> Document:
        """The answer to a file that is to go with a message."""
        content = await file.content()
        part = FilePart(name="file", filename=file.name, mime=file.mime, content=content)
        query = (TAG, ("site_id", site))
        return answered(await self._called("POST", "messages/attachments", query, multipart(files=[part])))

    def download(self, attachment: str, site: str) -> ApiRequest:
        """The request for a file that came with a message."""
        query = (TAG, ("site_id", site))
        return self._request("GET", f"messages/attachments/{attachment}", query)

    async def tokens(self, *fields: tuple[str, str]) -> Tokens:
        """What the token endpoint grants, to this app."""
        name, word = needed(self._binding.settings, "client_id", "client_secret")
        request = ApiRequest(
            method="POST",
            url=f"{self._host()}/oauth/token",
            headers={"Content-Type": FORM, "Accept": "application/json"},
            body=urlencode([*fields, ("client_id", name), ("client_secret", word)]).encode(),
        )
        used = [value for name, value in fields if name in {"code", "refresh_token", "code_verifier"}]
        return tokens_of(await self._api.call(request), self._api.now(), [*self._secrets, *used])

    async def _called(
        self,
        method: Literal["GET", "POST"],
        path: str,
        query: Sequence[tuple[str, str]],
        content: tuple[str, bytes] | None = None,
    ) -> ApiResponse:
        response = await self._api.call(self._request(method, path, query, content))
        code, reason = _error(response)
        try:
            return checked(response, without(self._secrets, reason))
        except RefusedError as refused:
            raise RefusedError(str(refused), without(self._secrets, code) or refused.code) from None

    def _request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        query: Sequence[tuple[str, str]],
        content: tuple[str, bytes] | None = None,
    ) -> ApiRequest:
        (token,) = needed(self._binding.settings, "access_token")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        kind, body = content or (None, b"")
        if kind is not None:
            headers["Content-Type"] = kind
        return ApiRequest(method=method, url=f"{self._host()}/{path}", query=query, headers=headers, body=body)

    def _host(self) -> str:
        return address(self._binding, "api_url", HOST)


def _error(response: ApiResponse) -> tuple[str, str]:
    """The code and the words of an answer that is an error; nothing of one without."""
    found = told(response)
    code, words = (reading.text(found, name) or "" for name in ("error", "message"))
    return code, ": ".join(filter(None, (code, words)))
