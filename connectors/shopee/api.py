"""Shopee's Open Platform API, version 2: signed requests, and what its answers mean ("API Calls", "Error Codes")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus

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

HOST = "https://partner.shopeemobile.com"
SECRETS = ("push_key", "partner_key", "access_token", "refresh_token")
FINE = frozenset({"", "-"})
"""What stands in `error` of an answer that is none; the documents of lost pushes show a dash."""
DENIED = frozenset(
    {
        "error_auth",
        "error_access_token",
        "error_sign",
        "invalid_acceess_token",  # so spelt there
        "invalid_access_token",
        "invalid_partner_id",
        "invalid_refresh_token",
    }
)
BUSY = frozenset({"system_busy", "error_busy", "error_rate_limit", "error_too_many_requests"})
PLAIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses that say enough whatever the error's name."""
SPENT = "error_limit"
"""The day's quota is used up; it starts anew at midnight of Singapore."""
FAILED = frozenset({"error_server", "error_inner", "error_system", "error_network", "error_unknown", "error_timeout"})
_REVOKED = re.compile(r"no[t]? linked|unlinked|cancel", re.IGNORECASE)
_DAY_MS, _SINGAPORE_MS = 86_400_000, 8 * 3_600_000


def signature(partner_key: str, *parts: str) -> str:
    """The signature of a request: of the partner's id, the path, the time (s), and for a shop its token and its id."""
    return hex_of(hmac_sha256(partner_key, "".join(parts).encode()))


def signed_query(binding: Binding, path: str, now: int, *, shop: bool) -> list[tuple[str, str]]:
    """The query every request has; `shop`: for calls in a shop's name. Raises RefusedError without the settings."""
    key, partner = needed(binding.settings, "partner_key", "partner_id")
    at = str(now // 1_000)
    query = [("partner_id", partner), ("timestamp", at)]
    token: list[str] = []
    if shop:
        token = needed(binding.settings, "access_token", "shop_id")
        query += [("access_token", token[0]), ("shop_id", token[1])]
    return [*query, ("sign", signature(key, partner, path, at, *token))]


class ShopApi:
    """Requests of one channel. Every call raises the errors of `connectors.contract.calling`."""

    def __init__(self, binding: Binding, api: Api) -> None:
        self.binding = binding
        self.api = api

    async def get(self, path: str, *query: tuple[str, str], shop: bool = True) -> Document:
        """The whole answer to a question."""
        return await self._asked(path, shop=shop, query=query)

    async def post(self, path: str, body: object, *, shop: bool = True) -> Document:
        """The whole answer to a request with a JSON body."""
        content = msgspec.json.encode(body)
        return await self._asked(path, shop=shop, content=content, media_type="application/json")

    async def upload(self, path: str, file: FilePart) -> Document:
        """The whole answer to a file."""
        media_type, content = multipart(files=[file])
        return await self._asked(path, shop=True, content=content, media_type=media_type)

    async def _asked(
        self,
        path: str,
        *,
        shop: bool,
        query: Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
        media_type: str | None = None,
    ) -> Document:
        now = self.api.now()
        request = ApiRequest(
            method="GET" if content is None else "POST",
            url=address(self.binding, "api_url", HOST) + path,
            query=[*signed_query(self.binding, path, now, shop=shop), *query],
            headers={"Content-Type": media_type} if media_type else {},
            body=content or b"",
        )
        secrets = [self.binding.settings.get(name, "") for name in SECRETS]
        return judged(await self.api.call(request), now, secrets)


def judged(response: ApiResponse, now: int, secrets: Sequence[str] = ()) -> Document:
    """The answer's object when it is fine; else raises what its `error` means, whatever the status."""
    found = told(response)
    code = reading.text(found, "error") or ""
    reason = without(secrets, reading.text(found, "message") or "")
    if code in FINE:
        checked(response, reason)
        return answered(response)
    code = without(secrets, code)
    sentence = f"Shopee answers {code}: {reason}"
    if code in BUSY:
        raise BusyError(sentence, retry_after(response) or 5.0)
    if code == SPENT:
        raise BusyError(sentence, (_DAY_MS - (now + _SINGAPORE_MS) % _DAY_MS) / 1_000)
    if code in DENIED:
        raise DeniedError(sentence, revoked=bool(_REVOKED.search(reason)))
    if code in FAILED:
        raise UncertainError(sentence)
    if response.status in PLAIN or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        checked(response, sentence)
    raise RefusedError(sentence, code)
