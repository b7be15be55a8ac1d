"""Messages that a seller may begin, each of a kind, after "Messaging API v1" and "Uploads API 2020-11-01".

None of them answers a buyer's message: that goes by mail. Which kinds an order allows is asked first. Unconfirmed: that
requests need no signature of AWS any more, and how long an access token lasts; one is asked for each time.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from connectors.contract import reading
from connectors.contract.asking import address, answered
from connectors.contract.calling import (
    Api,
    ApiRequest,
    ApiResponse,
    DeniedError,
    RefusedError,
    before_sending,
    checked,
    needed,
)
from connectors.contract.connector import Binding
from connectors.contract.outgoing import OutgoingFile
from connectors.contract.rules import found
from connectors.contract.typed import Allowance, Beginning, held_to

HOSTS = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
TOKENS = "https://api.amazon.com"
BAD_REQUEST = 400
_MARKUP = re.compile(r"</?[A-Za-z][A-Za-z0-9]{0,15}(?:\s[^<>]{0,200})?/?>")
"""A tag of HTML; a buyer's `a < b` is none."""


KINDS: dict[str, Allowance] = {
    "confirmCustomizationDetails": Allowance(text=800, most=5),
    "confirmDeliveryDetails": Allowance(text=2_000),
    "confirmOrderDetails": Allowance(text=2_000),
    "confirmServiceDetails": Allowance(text=2_000),
    "digitalAccessKey": Allowance(text=400, most=5),
    "invoice": Allowance(least=1, most=5),
    "legalDisclosure": Allowance(most=5),
    "unexpectedProblem": Allowance(text=2_000),
    "warranty": Allowance(least=1, most=5),
}


class Messaging:
    """The Messaging API for one seller."""

    def __init__(self, binding: Binding, api: Api) -> None:
        self._binding = binding
        self._api = api

    async def actions(self, order: str) -> list[str]:
        """The kinds of messages that may be sent about an order now. Raises the errors of calling."""
        told = answered(checked(await self._ask("GET", f"/messaging/v1/orders/{quote(order, safe='')}")))
        named = {
            reading.text(reading.part({"link": link}, "link"), "name")
            for link in reading.items(reading.optional_part(told, "_links"), "actions")
        }
        return [kind for kind in KINDS if kind in named]

    async def language(self, order: str) -> str | None:
        """The buyer's locale (getAttributes), such as de-DE. Raises the errors of calling."""
        told = answered(checked(await self._ask("GET", f"/messaging/v1/orders/{quote(order, safe='')}/attributes")))
        return reading.text(reading.optional_part(told, "buyer"), "locale") or None

    async def act(self, asked: Beginning) -> None:
        """Send one. Raises RefusedError before anything is sent when it is not what the kind takes."""
        allowed = held_to(asked, KINDS)
        _check(asked.text)
        path = f"/messaging/v1/orders/{quote(asked.order, safe='')}/messages/{asked.kind}"
        with before_sending():
            uploaded = [await self._upload(path.removeprefix("/"), file) for file in asked.files]
            token = await self._token()
        body = {} if allowed.text is None else {"text": asked.text}
        told = body | ({"attachments": uploaded} if uploaded else {})
        checked(await self._ask("POST", path, msgspec.json.encode(told), token=token))

    async def _upload(self, resource: str, file: OutgoingFile) -> dict[str, str]:
        """Put a file where messages may name it."""
        content = await file.content()
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        path = f"/uploads/2020-11-01/uploadDestinations/{quote(resource)}"
        made = answered(checked(await self._ask("POST", path, more=[("contentMD5", md5)])))
        place = reading.part(made, "payload")
        url, number = reading.text(place, "url"), reading.identity(place, "uploadDestinationId")
        if not url:
            raise RefusedError("Amazon gave no place to put the file")
        named = reading.optional_part(place, "headers")
        given = {name: str(value) for name, value in named.items()} | {"content-md5": md5}
        checked(await self._api.call(ApiRequest(method="PUT", url=url, headers=given, body=content, timeout_s=60.0)))
        return {"uploadDestinationId": number, "fileName": file.name}

    async def _ask(
        self,
        method: Literal["GET", "POST"],
        path: str,
        body: bytes = b"",
        *,
        more: Sequence[tuple[str, str]] = (),
        token: str | None = None,
    ) -> ApiResponse:
        (marketplace,) = needed(self._binding.settings, "marketplace_id")
        region = self._binding.settings.get("region") or "na"
        host = address(self._binding, "api_url", HOSTS.get(region, HOSTS["na"]))
        request = ApiRequest(
            method=method,
            url=f"{host}{path}",
            query=[("marketplaceIds", marketplace), *more],
            headers={
                "x-amz-access-token": token or await self._token(),
                "content-type": "application/json",
                "accept": "application/json",
            },
            body=body,
        )
        return await self._api.call(request)

    async def _token(self) -> str:
        """A new access token (Login with Amazon). Raises DeniedError when the seller's consent is gone."""
        client, secret, refresh = needed(
            self._binding.settings, "lwa_client_id", "lwa_client_secret", "lwa_refresh_token"
        )
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": client,
            "client_secret": secret,
        }
        request = ApiRequest(
            method="POST",
            url=f"{address(self._binding, 'auth_url', TOKENS)}/auth/o2/token",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        response = await self._api.call(request)
        if response.status == BAD_REQUEST:
            raise DeniedError("Amazon does not accept the seller's consent any more; authorise the app anew")
        token = reading.text(answered(checked(response)), "access_token")
        if not token:
            raise RefusedError("Amazon's answer for an access token has none")
        return token


def _check(text: str) -> None:
    if (address := next(found(text, "emails"), None)) is not None:
        raise RefusedError(
            f"Amazon takes no e-mail addresses in these messages; remove {address!r}", "forbidden_emails"
        )
    if (mark := _MARKUP.search(text)) is not None:
        raise RefusedError(f"Amazon takes no HTML in a message; remove {mark.group()!r}", "markup")


__all__ = ["KINDS", "Messaging"]
