"""TikTok Shop's API: signed requests ("Sign your API request"), and what its answers mean ("Common errors")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

import msgspec

from connectors.contract import reading
from connectors.contract.asking import address, answered, told
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
from connectors.contract.connector import Binding
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.reading import Document
from connectors.contract.signatures import hex_of, hmac_sha256

HOST = "https://open-api.tiktokglobalshop.com"
AUTH_HOST = "https://auth.tiktok-shops.com"
SECRETS = ("app_secret", "access_token", "refresh_token", "shop_cipher")
FINE = "0"
LACKING = frozenset({"105005", "36009033"})
"""The app was not given the permission."""
DENIED = frozenset({"101000", "106001", "36004004"})
TOKENS = re.compile(r"105\d{3}")
"""Errors about tokens."""
BUSY = frozenset({"36009002"})
FAILED = frozenset({"12001000", "36009003", "36009007"})
UNSORTED = "36009004"
"""One number for whatever is wrong with a request: its sentence tells apart what."""
_CREDENTIALS = re.compile(r"(?i)credentials|access[_-]token|signature")


def signature(app_secret: str, path: str, query: Sequence[tuple[str, str]], body: bytes = b"") -> str:
    """The signature of a request: of the path, the query sorted by name, and a body that is no form with files."""
    signed = path + "".join(f"{name}{value}" for name, value in sorted(query))
    return hex_of(hmac_sha256(app_secret, app_secret.encode() + signed.encode() + body + app_secret.encode()))


def step(part: str) -> str:
    """An id as one step of a path."""
    return quote(part, safe="")


class ShopApi:
    """Requests of one channel. Every call gives the answer's `data` and raises the errors of `contract.calling`."""

    def __init__(self, binding: Binding, api: Api) -> None:
        self.binding = binding
        self.api = api

    async def get(self, path: str, *query: tuple[str, str]) -> Document:
        """The answer to a question in the shop's name."""
        return await self._asked(path, query)

    async def post(self, path: str, body: object) -> Document:
        """The answer to a request with a JSON body in the shop's name."""
        content = msgspec.json.encode(body)
        return await self._asked(path, (), content, "application/json", signed=content)

    async def upload(self, path: str, file: FilePart) -> Document:
        """The answer to a file in the shop's name."""
        media_type, content = multipart(files=[file])
        return await self._asked(path, (), content, media_type)

    async def shops(self, token: str) -> Document:
        """The shops that a token is good for ("Get Authorized Shops"): asked in no shop's name."""
        path = "/authorization/202309/shops"
        return await self._call(path, [], token)

    async def tokens(self, way: str, *query: tuple[str, str]) -> Document:
        """What the host that gives tokens answers; `way`: `get` or `refresh`."""
        key, word = needed(self.binding.settings, "app_key", "app_secret")
        request = ApiRequest(
            method="GET",
            url=f"{address(self.binding, 'auth_url', AUTH_HOST)}/api/v2/token/{way}",
            query=[("app_key", key), ("app_secret", word), *query],
        )
        hidden = [*self._hidden(), *(value for _, value in query)]
        return judged(await self.api.call(request), hidden)

    async def _asked(
        self,
        path: str,
        query: Sequence[tuple[str, str]],
        content: bytes | None = None,
        media_type: str = "application/json",
        *,
        signed: bytes = b"",
    ) -> Document:
        token, cipher = needed(self.binding.settings, "access_token", "shop_cipher")
        return await self._call(path, [*query, ("shop_cipher", cipher)], token, content, media_type, signed=signed)

    async def _call(
        self,
        path: str,
        query: Sequence[tuple[str, str]],
        token: str,
        content: bytes | None = None,
        media_type: str = "application/json",
        *,
        signed: bytes = b"",
    ) -> Document:
        key, word = needed(self.binding.settings, "app_key", "app_secret")
        whole = [("app_key", key), ("timestamp", str(self.api.now() // 1_000)), *query]
        request = ApiRequest(
            method="GET" if content is None else "POST",
            url=address(self.binding, "api_url", HOST) + path,
            query=[*whole, ("sign", signature(word, path, whole, signed))],
            headers={"Content-Type": media_type, "x-tts-access-token": token},
            body=content or b"",
        )
        return judged(await self.api.call(request), [*self._hidden(), token])

    def _hidden(self) -> list[str]:
        return [self.binding.settings.get(name, "") for name in SECRETS]


def judged(response: ApiResponse, secrets: Sequence[str] = ()) -> Document:
    """The answer's `data` when it is fine; else raises what its code means, whatever the status."""
    found = told(response)
    code = reading.optional_identity(found, "code")
    reason = without(secrets, reading.text(found, "message") or "")
    if code is None or code == FINE:
        checked(response, reason)
        if answered(response) and code is None:
            raise UncertainError("TikTok's answer has no code: it does not say whether it did what was asked")
        return reading.optional_part(found, "data")
    code = without(secrets, code)
    sentence = f"TikTok answers {code}: {reason}"
    if code in LACKING:
        raise RefusedError(sentence, code)
    if code in BUSY or response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise BusyError(sentence, retry_after(response) or 5.0)
    if code in DENIED or TOKENS.fullmatch(code) or (code == UNSORTED and _CREDENTIALS.search(reason)):
        raise DeniedError(sentence)
    if code in FAILED or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UncertainError(sentence)
    raise RefusedError(sentence, code)
