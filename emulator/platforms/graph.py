"""What the products of Meta share: signatures, the address's verification, the Graph API's errors and token calls.

After "Webhooks from Meta", "Handling Errors" of the Graph API and "Manually Build a Login Flow".
"""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any
from urllib.parse import urlencode

from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from emulator.platforms.contract import (
    Call,
    Greeting,
    Platform,
    Point,
    answer,
    equal,
    hmac_hex,
    secret_of,
)
from emulator.pushes import Happening, Request
from emulator.world import Shop

CHALLENGE = "1158201444"
WINDOW_MS = 24 * 3_600_000
LONG_LIFE_S = 60 * 24 * 3_600
TRACE = "AbCdEfGhIjKlMnOpQr"
VERSIONED = "/{version:graph_version}"


class _Version(Convertor[str]):
    """`v` and a number: what else comes first in a path is an id."""

    regex = r"v[0-9]+\.[0-9]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("graph_version", _Version())


class Graph(Platform):
    """One app for each account."""

    about = ""
    scopes: tuple[str, ...] = ()

    def app(self, number: int, rng: Random) -> dict[str, str]:
        """The app's id and secrets."""
        own = str(rng.randrange(10**14, 10**15))
        return {
            "app_id": own,
            "app_secret": secret_of(f"{self.name} app {own}", 32),
            "verify_token": secret_of(f"{self.name} verify {own} {number}", 24),
        }

    def shop(self, number: int, account: str, ids: dict[str, str], title: str) -> Shop:
        """The account's record."""
        return self.shop_of(number, account, title, ids)

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The body, with the app's secret."""
        del happening, url
        return {"X-Hub-Signature-256": "sha256=" + hmac_hex(shop.ids["app_secret"], body)}

    def greeting(self, shop: Shop, url: str) -> Greeting:
        """The verification request: the challenge must come back."""
        asked = {"hub.mode": "subscribe", "hub.verify_token": shop.ids["verify_token"], "hub.challenge": CHALLENGE}
        return Greeting(
            url=f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}",
            request=Request(body=b"", headers={}, method="GET"),
            proves=lambda status, body: status == 200 and body.decode("utf-8", "replace") == CHALLENGE,  # noqa: PLR2004 # as documented
        )

    def wrapped(self, entry: dict[str, Any]) -> bytes:
        """A body as Meta sends it: what is beyond ASCII is escaped."""
        return json.dumps({"object": self.about, "entry": [entry]}, separators=(",", ":")).encode()

    def common(self) -> list[Point]:
        """The calls of tokens, with and without a version."""
        told = [
            ("GET", "/dialog/oauth", self._authorise),
            ("GET", "/oauth/access_token", self._token),
            ("POST", "/oauth/access_token", self._token),
            ("GET", "/oauth/authorize", self._authorise),
            ("GET", "/debug_token", self._debug),
            ("GET", "/access_token", self._token),
            ("GET", "/refresh_access_token", self._refreshed),
        ]
        return [Point(method=m, path=base + path, opened=deed) for base in (VERSIONED, "") for m, path, deed in told]

    def caller(self, call: Call) -> Shop:
        """The token is in a header, the query or the body. Raises Refusal."""
        token = call.bearer or call.params.get("access_token", "") or str(call.json().get("access_token") or "")
        return self.valid(self.by_token(token), token)

    def denied(self) -> Response:
        """Code 190."""
        told = "Error validating access token: The session has been invalidated because the user changed the password."
        return fault(190, told, 401, subcode=460)

    def limited(self) -> Response:
        """Code 613."""
        return fault(613, "Calls to this api have exceeded the rate limit.", 400)

    def broken(self) -> Response:
        """Code 2."""
        return fault(2, "An unexpected error has occurred. Please retry your request later.", 500)

    async def _authorise(self, call: Call) -> Response:
        told = call.params
        shop = self.by_id("app_id", told.get("client_id", ""))
        if shop is None:
            return fault(101, "Error validating application. Cannot get application info.", 400)
        return self.authorised(shop, told.get("redirect_uri", ""), state=told.get("state", ""))

    async def _token(self, call: Call) -> Response:
        """A code becomes a token; a token becomes one that lives long."""
        told = call.params | call.form()
        exchanged = told.get("fb_exchange_token") or told.get("access_token")
        if exchanged and told.get("grant_type") in {"fb_exchange_token", "ig_exchange_token"}:
            shop = self.by_token(exchanged)
        else:
            shop = self.coded(told.get("code", ""))
        if shop is None or not equal(told.get("client_secret", ""), shop.ids["app_secret"]):
            return fault(100, "Invalid verification code format.", 400)
        if not exchanged:
            self.granted(shop, None)
        own = shop.ids.get("user_id") or shop.account
        life = {"token_type": "bearer", "expires_in": LONG_LIFE_S, "user_id": own}
        return answer({"access_token": shop.token.access} | life)

    async def _refreshed(self, call: Call) -> Response:
        token = call.params.get("access_token", "")
        shop = self.valid(self.by_token(token), token)
        return answer({"access_token": shop.token.access, "token_type": "bearer", "expires_in": LONG_LIFE_S})

    async def _debug(self, call: Call) -> Response:
        told = call.params
        shop = self.by_token(told.get("input_token", ""))
        good = shop is not None and not self.stage.faults.strikes("revoke_token", self.name, shop.account)
        data: dict[str, Any] = {"is_valid": good, "scopes": list(self.scopes) if good else []}
        if shop is not None:
            ends = shop.token.expires_at
            data |= {"app_id": shop.ids["app_id"], "type": "PAGE", "expires_at": 0 if ends is None else ends // 1000}
        return answer({"data": data})


def fault(code: int, message: str, status: int, *, subcode: int | None = None) -> Response:
    """An error as the Graph API tells it."""
    told: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code}
    if subcode is not None:
        told["error_subcode"] = subcode
    return answer({"error": told | {"fbtrace_id": TRACE}}, status)


def graph_time(at: int) -> str:
    """A time (ms) as the Graph API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(at // 1000))
