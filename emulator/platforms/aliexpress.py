"""AliExpress: messages that are only ever asked for, tokens. It pushes nothing.

After the message methods of its open platform. Unconfirmed as a whole: whether new apps are still granted these
methods, and the unit of `message_time` (ms here).
"""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

from starlette.responses import Response

from emulator.platforms.contract import (
    Call,
    Platform,
    Point,
    Rate,
    Refusal,
    answer,
    digits,
    equal,
    hmac_hex,
    secret_of,
)
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop

ACCESS_S, REFRESH_S = 24 * 3_600, 180 * 24 * 3_600
FAMILY = "aliexpress.message.redefining.versiontwo."
VALID_MS = 7_200_000
ORDERS = "order_msg"
"""The other of the two sources; here everything is said in the message centre."""


class AliExpress(Platform):
    """One app for each seller."""

    name = "aliexpress"
    pushes = False
    rate = Rate(requests=20)
    languages = ("es", "pt", "en")

    def open(self, number: int, rng: Random) -> Shop:
        """A seller with a login of its own."""
        own = f"cn{digits(rng, 10)}"
        ids = {
            "app_key": digits(rng, 6),
            "app_secret": secret_of(f"aliexpress {own}", 32),
            "login_id": own,
            "seller_id": digits(rng, 9),
        }
        return self.shop_of(number, own, "AliExpress store", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """The app, and what the authorisation gives."""
        tokens = {"access_token": shop.token.access, "refresh_token": shop.token.refresh}
        return shop.ids | tokens | {"confirmed": "yes"}

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """A channel's number."""
        return f"{shop.ids['seller_id']}{buyer.id[:9]}"

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """Nothing."""
        del shop, happening, attempt

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """Nothing."""
        del shop, happening, url, body
        return {}

    def points(self) -> list[Point]:
        """One address for all methods, and those of tokens."""
        verbs = ("GET", "POST")
        return [
            *(Point(method=verb, path="/sync", handler=self._method, sends=True) for verb in verbs),
            *(Point(method=verb, path="/rest/auth/token/create", opened=self._token) for verb in verbs),
            *(Point(method=verb, path="/rest/auth/token/refresh", opened=self._renew) for verb in verbs),
            *(Point(method=verb, path="/rest/auth/token/security/refresh", opened=self._renew) for verb in verbs),
            Point(method="GET", path="/oauth/authorize", opened=self._authorise),
        ]

    def caller(self, call: Call) -> Shop:
        """All parameters in their order are signed, without a path."""
        told = call.params | call.form()
        shop = self._app(call, told, "")
        return self.valid(shop, told.get("session") or told.get("access_token") or "")

    def denied(self) -> Response:
        """Told in the body."""
        return _error("IllegalAccessToken", "The specified access token is invalid or expired")

    def limited(self) -> Response:
        """Told in the body."""
        return _error("ApiCallLimit", "This ban will last 1 seconds")

    def broken(self) -> Response:
        """Told in the body."""
        return _error("ServiceUnavailable", "The service is unavailable")

    def _app(self, call: Call, told: dict[str, str], path: str) -> Shop:
        shop = self.by_id("app_key", told.get("app_key", ""))
        if shop is None:
            raise Refusal(_error("InvalidAppKey", "The specified App Key is invalid"))
        signed = path + "".join(f"{name}{told[name]}" for name in sorted(told) if name != "sign")
        word = shop.ids["app_secret"]
        if told.get("sign_method") == "md5":
            enclosed = f"{word}{signed.removeprefix(path)}{word}".encode()
            genuine = hashlib.md5(enclosed, usedforsecurity=False).hexdigest()
        else:
            genuine = hmac_hex(word, signed.encode())
        if not equal(told.get("sign", ""), genuine.upper()):
            raise Refusal(_error("IncompleteSignature", "The request signature does not conform to platform standards"))
        stamp = told.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - call.wall) > VALID_MS:
            raise Refusal(_error("IllegalTimestamp", "The specified timestamp is outside of 7200 seconds"))
        return shop

    async def _method(self, call: Call, shop: Shop) -> Response:
        told = call.params | call.form()
        method = told.get("method", "")
        match method.removeprefix(FAMILY):
            case "querymsgrelationlist":
                result = self._relations(shop, told)
            case "querymsgdetaillist":
                result = self._details(shop, told)
            case "querymsgdetaillistbybuyerid":
                result = self._by_buyer(shop, told)
            case "addmsg":
                result = self._added(shop, told)
            case "updatemsgread" | "updatemsgprocessed" | "updatemsgrank":
                result = {"is_success": True}
            case _:
                return _error("InvalidApiPath", "The specified API path is invalid")
        name = f"{method.replace('.', '_')}_response"
        return answer({name: {"result": result, "request_id": "2101d05f17178178017221014"}})

    def _relations(self, shop: Shop, told: dict[str, str]) -> dict[str, Any]:
        query = _object(told, "query")
        if {**told, **query}.get("msg_sources") == ORDERS:
            return {"is_success": True, "relation_list": [], "total": 0}
        held = sorted((c for c in shop.conversations.values() if c.messages), key=_latest, reverse=True)
        page = _page(held, {**told, **query})
        return {"is_success": True, "relation_list": [self._relation(one) for one in page], "total": len(held)}

    def _details(self, shop: Shop, told: dict[str, str]) -> dict[str, Any]:
        conversation = shop.conversations.get(told.get("channel_id", ""))
        if conversation is None or told.get("msg_sources") == ORDERS:
            return {"is_success": False, "error_code": "CHANNEL_NOT_FOUND", "error_msg": "channel_id is wrong"}
        return self._listed(shop, conversation, told)

    def _by_buyer(self, shop: Shop, told: dict[str, str]) -> dict[str, Any]:
        """By the buyer's login; of an order nothing is said here."""
        buyer = told.get("buyer_login_id", "")
        conversation = next((one for one in shop.conversations.values() if one.buyer.id == buyer), None)
        if conversation is None or told.get("extern_id"):
            return {"is_success": True, "message_detail_list": [], "total": 0}
        return self._listed(shop, conversation, told)

    def _listed(self, shop: Shop, conversation: Conversation, told: dict[str, str]) -> dict[str, Any]:
        page = _page(conversation.messages[::-1], told)
        listed = [self._detail(shop, one) for one in page]
        return {"is_success": True, "message_detail_list": listed, "total": len(conversation.messages)}

    def _added(self, shop: Shop, told: dict[str, str]) -> dict[str, Any]:
        given = {**told, **_object(told, "create_param")}
        conversation = shop.conversations.get(str(given.get("channel_id") or given.get("extern_id") or ""))
        if conversation is None:
            found = (c for c in shop.conversations.values() if c.buyer.id == given.get("buyer_id"))
            conversation = next(found, None)
        text = str(given.get("content") or "")
        if conversation is None or not text:
            return {"is_success": False, "error_code": "PARAM_ERROR", "error_msg": "channel_id or content is wrong"}
        message = self.stage.write(conversation, text, by="api")
        return {"is_success": True, "message_id": int(message.id)}

    def _relation(self, conversation: Conversation) -> dict[str, Any]:
        latest = conversation.messages[-1]
        return {
            "channel_id": conversation.id,
            "unread_count": 0 if latest.direction == "out" else 1,
            "read_stat": 0,
            "deal_stat": 0,
            "last_message_id": int(latest.id),
            "last_message_content": latest.text,
            "last_message_is_own": latest.direction == "out",
            "message_time": latest.at,
            "other_login_id": conversation.buyer.id,
            "other_ali_id": int(conversation.buyer.id),
            "other_name": conversation.buyer.name,
            "rank": 0,
        }

    def _detail(self, shop: Shop, message: Message) -> dict[str, Any]:
        buyer = shop.conversations[message.conversation].buyer
        out = message.direction == "out"
        files = [{"large": self.stage.media_url(message.media)}] if message.media is not None else []
        return {
            "id": int(message.id),
            "gmt_create": message.at,
            "sender_login_id": shop.account if out else buyer.id,
            "sender_ali_id": int(shop.ids["seller_id"] if out else buyer.id),
            "sender_name": shop.name if out else buyer.name,
            "message_type": "order" if message.order else "member",
            "content": message.text,
            "file_path_list": files,
            "summary": {"receiver_name": buyer.name, "sender_login_id": shop.account if out else buyer.id},
        }

    async def _authorise(self, call: Call) -> Response:
        told = call.params
        shop = self.by_id("app_key", told.get("client_id", ""))
        if shop is None:
            return answer({"error": "client_id is wrong"}, 400)
        return self.authorised(shop, told.get("redirect_uri", ""), state=told.get("state", ""))

    async def _token(self, call: Call) -> Response:
        told = call.params | call.form()
        shop = self._app(call, told, call.path.removeprefix("/rest"))
        if self.coded(told.get("code", "")) is not shop:
            return _error("InvalidCode", "Invalid authorization code")
        return self._granted(shop)

    async def _renew(self, call: Call) -> Response:
        told = call.params | call.form()
        shop = self._app(call, told, call.path.removeprefix("/rest"))
        if self.refreshed(told.get("refresh_token", "")) is not shop:
            return _error("IllegalRefreshToken", "The specified refresh token is invalid or expired")
        return self._granted(shop)

    def _granted(self, shop: Shop) -> Response:
        token = self.granted(shop, ACCESS_S, REFRESH_S)
        told = {"access_token": token.access, "refresh_token": token.refresh, "code": "0", "user_nick": shop.account}
        lives = {"expires_in": ACCESS_S, "refresh_expires_in": REFRESH_S, "seller_id": shop.ids["seller_id"]}
        return answer(told | lives | {"request_id": "2101d05f17178178017221014"})


def _latest(conversation: Conversation) -> int:
    return conversation.messages[-1].at


def _page(held: list[Any], told: dict[str, Any]) -> list[Any]:
    number, size = str(told.get("current_page") or ""), str(told.get("page_size") or "")
    count = min(int(size), 100) if size.isdigit() and int(size) else 20
    place = (int(number) - 1) * count if number.isdigit() and int(number) else 0
    return held[place : place + count]


def _object(told: dict[str, str], name: str) -> dict[str, Any]:
    try:
        found = json.loads(told.get(name) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _error(code: str, message: str) -> Response:
    return answer({"type": "ISP", "code": code, "message": message, "request_id": "2101d05f17178178017221014"})
