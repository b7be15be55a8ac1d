"""Amazon's Selling Partner API, as far as messages that a seller begins need it; buyers' messages come by mail alone.

After "Messaging API v1", "Uploads API 2020-11-01" and "Login with Amazon". Which kinds an order allows is told, here
alone, by the last digit of its number: 0 allows none, an odd one what comes before delivery, an even one what comes
after it.
"""

from __future__ import annotations

import base64
import hashlib
from random import Random
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from emulator.platforms.contract import Call, Platform, Point, Rate, answer, digits, secret_of
from emulator.pushes import Happening
from emulator.world import Media, Shop

MARKETPLACE = "A1PA6795UKMFR9"
LOCALE = "de-DE"
BEFORE = ("confirmOrderDetails", "confirmDeliveryDetails", "unexpectedProblem")
AFTER = ("invoice", "warranty", "confirmServiceDetails")
TEXTS = {"confirmOrderDetails", "confirmDeliveryDetails", "confirmServiceDetails", "unexpectedProblem"}
MOST_TEXT = 2_000
LIFE_S = 3_600


class Amazon(Platform):
    """One seller each, whose app may begin messages."""

    name = "amazon"
    chats = False
    pushes = False
    rate = Rate(requests=5)
    languages = ("de",)

    def open(self, number: int, rng: Random) -> Shop:
        """A seller with an app."""
        own = f"seller-{digits(rng, 5)}"
        ids = {
            "lwa_client_id": f"amzn1.application-oa2-client.{secret_of(f'amazon app {own}', 32)}",
            "lwa_client_secret": secret_of(f"amazon secret {own}", 64),
            "lwa_refresh_token": f"Atzr|{secret_of(f'amazon consent {own}', 60)}",
            "marketplace_id": MARKETPLACE,
        }
        return self.shop_of(number, own, "Amazon seller", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """The app's keys; the mailbox is no part of the emulator."""
        return dict(shop.ids)

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """Nothing is pushed."""
        del shop, happening, attempt
        return None

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """Nothing is."""
        del shop, happening, url, body
        return {}

    def points(self) -> list[Point]:
        """Messaging, uploads and tokens."""
        order = "/messaging/v1/orders/{order}"
        return [
            Point(method="GET", path=order, handler=self._actions),
            Point(method="GET", path=f"{order}/attributes", handler=self._attributes),
            Point(method="POST", path=f"{order}/messages/{{kind}}", handler=self._act, sends=True),
            Point(method="POST", path="/uploads/2020-11-01/uploadDestinations/{resource:path}", handler=self._place),
            Point(method="PUT", path="/put/{upload}", opened=self._put),
            Point(method="POST", path="/auth/o2/token", opened=self._token),
        ]

    def caller(self, call: Call) -> Shop:
        """The access token in its header. Raises Refusal."""
        given = call.header("x-amz-access-token")
        shop = next((one for one in self.stage.world.of(self.name) if one.token.access == given), None)
        return self.valid(shop, given)

    def denied(self) -> Response:
        """403."""
        return _error(403, "Unauthorized", "Access to requested resource is denied.")

    def limited(self) -> Response:
        """429."""
        return _error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")

    async def _actions(self, call: Call, shop: Shop) -> Response:
        del shop
        order = str(call.http.path_params["order"])
        links = [
            {"href": f"/messaging/v1/orders/{order}/messages/{kind}?marketplaceIds={MARKETPLACE}", "name": kind}
            for kind in _allowed(order)
        ]
        return answer({"_links": {"self": {"href": f"/messaging/v1/orders/{order}"}, "actions": links}})

    async def _attributes(self, call: Call, shop: Shop) -> Response:
        """The buyer's locale; here all are those of the marketplace."""
        del shop
        if call.params.get("marketplaceIds") != MARKETPLACE:
            return _error(400, "InvalidInput", "marketplaceIds is missing.")
        return answer({"buyer": {"locale": LOCALE}})

    async def _act(self, call: Call, shop: Shop) -> Response:
        order, kind = (str(call.http.path_params[name]) for name in ("order", "kind"))
        told = call.json()
        text, files = told.get("text"), told.get("attachments") or []
        if call.params.get("marketplaceIds") != MARKETPLACE:
            return _error(400, "InvalidInput", "marketplaceIds is missing.")
        if kind not in _allowed(order):
            return _error(403, "Unauthorized", f"{kind} is not allowed for this order.")
        if kind in TEXTS and not (isinstance(text, str) and 0 < len(text) <= MOST_TEXT):
            return _error(400, "InvalidInput", "text is missing or too long.")
        if any(one.get("uploadDestinationId") not in self.stage.world.media for one in files):
            return _error(400, "InvalidInput", "no such upload.")
        shop.begun.append({"order": order, "kind": kind, "text": text, "files": [one["fileName"] for one in files]})
        return answer({}, 201)

    async def _place(self, call: Call, shop: Shop) -> Response:
        del shop
        number = secret_of(f"amazon upload {call.params.get('contentMD5')}", 24)
        url = f"{self.stage.base_url}/{self.name}/put/{number}?md5={quote(call.params.get('contentMD5', ''), safe='')}"
        return answer({"payload": {"uploadDestinationId": number, "url": url, "headers": {}}}, 201)

    async def _put(self, call: Call) -> Response:
        md5 = base64.b64encode(hashlib.md5(call.body, usedforsecurity=False).digest()).decode()
        if call.header("content-md5") != md5 or call.params.get("md5") != md5:
            return Response(status_code=400)
        upload = str(call.http.path_params["upload"])
        self.stage.world.media[upload] = Media(mime="application/octet-stream", content=call.body)
        return Response(status_code=200)

    async def _token(self, call: Call) -> Response:
        form = call.form()
        shop = self.by_id("lwa_client_id", form.get("client_id", ""))
        right = shop is not None and all(
            form.get(name) == shop.ids[own]
            for name, own in (("client_secret", "lwa_client_secret"), ("refresh_token", "lwa_refresh_token"))
        )
        if shop is None or not right or form.get("grant_type") != "refresh_token":
            return answer({"error": "invalid_grant", "error_description": "The request has an invalid grant."}, 400)
        return answer({"access_token": shop.token.access, "token_type": "bearer", "expires_in": LIFE_S})


def _allowed(order: str) -> tuple[str, ...]:
    last = order[-1:]
    return () if not last.isdigit() or last == "0" else BEFORE if int(last) % 2 else AFTER


def _error(status: int, code: str, message: str) -> Response:
    told: dict[str, Any] = {"errors": [{"code": code, "message": message, "details": ""}]}
    return answer(told, status)
