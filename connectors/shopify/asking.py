"""Requests to Shopify's Admin API, and what its answers mean: GraphQL tells errors in answers with status 200.

Limits are of a query's cost ("API rate limits"): a throttled one says how much is left and how fast it grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from connectors.contract import reading
from connectors.contract.asking import address, answered, readable, told
from connectors.contract.calling import (
    Api,
    ApiRequest,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    checked,
    needed,
    without,
)
from connectors.contract.connector import Binding
from connectors.contract.reading import Document
from connectors.contract.tokens import Tokens, tokens_of

VERSION = "2026-01"
_LONGEST_WAIT_S = 60.0
_SHORTEST_WAIT_S = 1.0


class Asking:
    """One shop's Admin API."""

    def __init__(self, binding: Binding, secrets: Sequence[str], api: Api) -> None:
        """`secrets`: values that no error may show."""
        self._binding = binding
        self._secrets = secrets
        self._api = api

    async def query(self, text: str, variables: Mapping[str, Any]) -> Document:
        """The `data` of an answer. Raises the errors of `connectors.contract.calling`."""
        (token,) = needed(self._binding.settings, "access_token")
        version = self._binding.settings.get("api_version") or VERSION
        request = ApiRequest(
            method="POST",
            url=f"{host_of(self._binding, 'api_url')}/admin/api/{version}/graphql.json",
            headers={"X-Shopify-Access-Token": token, "Content-Type": "application/json", "Accept": "application/json"},
            body=msgspec.json.encode({"query": text, "variables": variables}),
        )
        response = await self._api.call(request)
        errors = told(response).get("errors")
        found = answered(checked(response, without(self._secrets, errors if isinstance(errors, str) else "")))
        self._judge(found)
        with readable():
            return reading.part(found, "data")

    async def tokens(self, code: str) -> Tokens:
        """The token for a code."""
        name, word = needed(self._binding.settings, "client_id", "client_secret")
        request = ApiRequest(
            method="POST",
            url=f"{host_of(self._binding, 'api_url')}/admin/oauth/access_token",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=msgspec.json.encode({"client_id": name, "client_secret": word, "code": code}),
        )
        return tokens_of(await self._api.call(request), self._api.now(), [*self._secrets, code])

    def _judge(self, found: Document) -> None:
        """Raise what the first error of an answer means; what came beside it is not taken for the whole."""
        with readable():
            errors = reading.items(found, "errors")
        if not errors:
            return
        first: Document = cast("Document", errors[0]) if isinstance(errors[0], dict) else {}
        code = reading.text(reading.optional_part(first, "extensions"), "code") or ""
        reason = without(self._secrets, f"{code}: {reading.text(first, 'message') or ''}")
        match code:
            case "THROTTLED":
                raise BusyError(f"Shopify puts the query off: {reason}", _wait_of(found))
            case "ACCESS_DENIED":
                raise DeniedError(f"the app lacks a permission ({reason}); authorise the channel anew")
            case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
                raise UncertainError(f"Shopify failed: {reason}")
            case _:
                raise RefusedError(f"Shopify refuses the query: {reason}", code or None)


def host_of(binding: Binding, setting: str) -> str:
    """The shop's own host, or another in its place."""
    (shop,) = needed(binding.settings, "shop")
    return address(binding, setting, f"https://{shop}")


def _wait_of(found: Document) -> float:
    """The seconds until there is enough for the query again."""
    cost = reading.optional_part(reading.optional_part(found, "extensions"), "cost")
    status = reading.optional_part(cost, "throttleStatus")
    wanted = reading.number(cost, "requestedQueryCost") or 0.0
    left = reading.number(status, "currentlyAvailable") or 0.0
    rate = reading.number(status, "restoreRate") or 0.0
    wait = (wanted - left) / rate if rate > 0 else 5.0
    return min(max(wait, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)
