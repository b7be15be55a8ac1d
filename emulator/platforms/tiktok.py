"""TikTok Shop: webhooks of type 14, customer service, images, shops, token calls.

After "Webhooks overview", "New message", "Sign your API request" and the customer-service pages of its Partner Center.
The codes of errors are unconfirmed, apart from those of tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    compact,
    digits,
    equal,
    hmac_hex,
    secret_of,
)
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop

ACCESS_S, REFRESH_S = 7 * 24 * 3_600, 365 * 24 * 3_600
VALID_S = 300
LONGEST_TEXT, MOST_IMAGE = 2_000, 10 * 2**20
CHAT = 14
ORDER_MS = 60 * 86_400_000
"""How old an order may be whose buyer is written to."""
CARDS = {
    "ORDER_CARD": "order_id",
    "LOGISTICS_CARD": "order_id",
    "PRODUCT_CARD": "product_id",
    "COUPON_CARD": "coupon_id",
}
SCOPES = ["seller.customer_service", "seller.shop.info", "seller.authorization.info"]
VERSION = "{version}"


class TikTok(Platform):
    """An app for each shop, or one for several."""

    name = "tiktok"
    echoes = frozenset({"api", "app", "robot"})
    rate = Rate(requests=50)
    languages = ("en", "th", "id")
    app_ids = ("app_key", "app_secret")

    def open(self, number: int, rng: Random) -> Shop:
        """A shop with a number of nineteen digits."""
        own = "749" + digits(rng, 16)
        ids = {
            "app_key": secret_of(f"tiktok key {own}", 13),
            "app_secret": secret_of(f"tiktok {own}"),
            "shop_id": own,
            "shop_cipher": "GCP_" + secret_of(f"tiktok cipher {own}", 24),
            "open_id": secret_of(f"tiktok open {own}", 32),
            "im_user_id": "749" + digits(rng, 16),
        }
        return self.shop_of(number, own, "TikTok shop", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """What the Partner Center and the authorisation give."""
        told = {name: shop.ids[name] for name in ("app_key", "app_secret", "shop_id", "shop_cipher")}
        return told | {"access_token": shop.token.access, "refresh_token": shop.token.refresh}

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """A person with a number of nineteen digits."""
        person = super().buyer(shop, number, rng)
        return Buyer(id="749" + digits(rng, 16), name=person.name, language=person.language)

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """Nineteen digits of both."""
        return f"75{(int(buyer.id) + int(shop.account)) % 10**17:017}"

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Nineteen digits."""
        del conversation
        return str(number * 4_000 + shop.number % 4_000)

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """A notice of type 14."""
        del attempt
        if happening.kind != "message" or happening.message is None:
            return None
        message = happening.message
        data = self._told(shop, message, whole=False)
        data = {"message_id": data.pop("id"), "conversation_id": message.conversation, **data}
        return compact(
            {
                "type": CHAT,
                "tts_notification_id": str(happening.id * 4_000),
                "shop_id": shop.account,
                "timestamp": happening.at // 1000,
                "data": data,
            }
        )

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The app key and the body, with the app's secret."""
        del happening, url
        return {"Authorization": hmac_hex(shop.ids["app_secret"], shop.ids["app_key"].encode() + body)}

    def points(self) -> list[Point]:
        """Every version of the calls answers alike."""
        service = f"/customer_service/{VERSION}"
        told = f"{service}/conversations/{{conversation}}/messages"
        return [
            Point(method="GET", path=f"{service}/conversations", handler=self._conversations),
            Point(method="POST", path=f"{service}/conversations", handler=self._begin),
            Point(method="GET", path=told, handler=self._messages),
            Point(method="POST", path=told, handler=self._send, sends=True),
            Point(method="POST", path=f"{told}/read", handler=self._read),
            Point(method="POST", path=f"{service}/images/upload", handler=self._upload),
            Point(method="GET", path=f"/order/{VERSION}/orders", handler=self._orders),
            Point(method="GET", path=f"/authorization/{VERSION}/shops", handler=self._shops),
            Point(method="GET", path=f"/event/{VERSION}/webhooks", handler=self._webhooks),
            Point(method="GET", path="/api/v2/token/get", opened=self._token),
            Point(method="GET", path="/api/v2/token/refresh", opened=self._renew),
            Point(method="GET", path="/oauth/authorize", opened=self._authorise),
            Point(method="GET", path="/open/authorize", opened=self._authorise),
        ]

    def caller(self, call: Call) -> Shop:
        """Path, query and body are signed between two secrets; the token stands in a header."""
        told = call.params
        app = self.by_id("app_key", told.get("app_key", ""))
        if app is None:
            raise Refusal(_error(36_009_004, "Invalid app_key", 401))
        signed = call.path + "".join(f"{k}{told[k]}" for k in sorted(told) if k not in {"sign", "access_token"})
        multipart = "multipart/form-data" in call.header("content-type")
        body = b"" if multipart or call.http.method == "GET" else call.body
        secret = app.ids["app_secret"]
        genuine = hmac_hex(secret, (secret + signed).encode() + body + secret.encode())
        if not equal(told.get("sign", ""), genuine):
            raise Refusal(_error(106_001, "Invalid sign: signature verification failed", 401))
        stamp = told.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - call.wall // 1000) > VALID_S:
            raise Refusal(_error(36_009_003, "Invalid timestamp", 400))
        token = call.header("x-tts-access-token")
        shop = self.by_token(token)
        found = self.valid(shop if self.same_app(shop, app) else None, token)
        if (cipher := told.get("shop_cipher")) and cipher != found.ids["shop_cipher"]:
            raise Refusal(_error(36_009_011, "Invalid shop_cipher", 400))
        return found

    def denied(self) -> Response:
        """401."""
        return _error(105_002, "Expired credentials. The 'access_token' has expired.", 401)

    def limited(self) -> Response:
        """429."""
        return _error(36_009_002, "Too many requests. Reduce the request frequency.", 429)

    def broken(self) -> Response:
        """500."""
        return _error(36_009_001, "Internal error", 500)

    async def _send(self, call: Call, shop: Shop) -> Response:
        conversation = shop.conversations.get(call.http.path_params["conversation"])
        if conversation is None:
            return _error(45_101_001, "conversation not found", 400)
        told = call.json()
        try:
            content = json.loads(told.get("content") or "")
        except (TypeError, ValueError):
            return _error(36_009_011, "content is not a JSON string", 400)
        text, link = str(content.get("content") or ""), str(content.get("url") or "")
        if told.get("type") == "TEXT" and not 0 < len(text) <= LONGEST_TEXT:
            return _error(45_101_004, f"text of 1 to {LONGEST_TEXT} characters", 400)
        kind = str(told.get("type"))
        number = str(content.get(CARDS.get(kind, "")) or "")
        if kind in CARDS and not number.isdigit():
            return _error(36_009_011, f"{CARDS[kind]} is missing", 400)
        media = self.stage.linked(shop, link) if kind == "IMAGE" else None
        by = "robot" if told.get("sender_role") == "ROBOT" else "api"
        message = self.stage.write(conversation, text, by=by, media=media)
        if kind in CARDS:
            shop.begun.append({"message": message.id, "type": kind, "number": number})
        return _answer({"message_id": message.id})

    async def _messages(self, call: Call, shop: Shop) -> Response:
        conversation = shop.conversations.get(call.http.path_params["conversation"])
        if conversation is None:
            return _error(45_101_001, "conversation not found", 400)
        told = call.params
        held = conversation.messages if told.get("sort_order") == "ASC" else conversation.messages[::-1]
        place, size = _place(told), min(_number(told, "page_size", 10), 10)
        page = held[place : place + size]
        further = str(place + size) if len(held) > place + size else ""
        return _answer({"messages": [self._told(shop, one) for one in page], "next_page_token": further})

    async def _conversations(self, call: Call, shop: Shop) -> Response:
        told = call.params
        held = sorted((c for c in shop.conversations.values() if c.messages), key=_latest, reverse=True)
        place, size = _place(told), min(_number(told, "page_size", 20), 20)
        page = held[place : place + size]
        further = str(place + size) if len(held) > place + size else ""
        return _answer({"conversations": [self._summary(shop, c) for c in page], "next_page_token": further})

    async def _orders(self, call: Call, shop: Shop) -> Response:
        """Those that somebody wrote about, with the id that they know their buyer by."""
        wanted = call.params.get("ids", "").split(",")
        named = {one.order: one for one in reversed(shop.messages()) if one.order in wanted}
        found = [
            {"id": order, "user_id": _user(shop.conversations[one.conversation].buyer), "create_time": one.at // 1000}
            for order, one in named.items()
        ]
        return _answer({"orders": found})

    async def _begin(self, call: Call, shop: Shop) -> Response:
        """Refused when the buyer has written, and about an order, too long ago."""
        person = next((one for one in shop.buyers if _user(one) == call.json().get("buyer_user_id")), None)
        if person is None:
            return _error(45_101_002, "buyer not found", 400)
        held = self.stage.conversation(shop, person.id)
        if all(one.at < self.stage.clock.now() - ORDER_MS for one in held.messages):
            return _error(45_101_005, "no order of this buyer within 60 days", 400)
        return _answer({"conversation_id": held.id})

    async def _read(self, call: Call, shop: Shop) -> Response:
        shop.read[str(call.http.path_params["conversation"])] = "all"
        return _answer({})

    async def _upload(self, call: Call, shop: Shop) -> Response:
        file = (await call.files()).get("data")
        content = b"" if file is None or isinstance(file, str) else file.content
        if not 0 < len(content) <= MOST_IMAGE or file is None or isinstance(file, str):
            return _error(36_009_011, "data is missing or larger than 10 MB", 400)
        key = self.stage.upload(file.mime or "image/jpeg", content)
        self.stage.owners[key] = shop.platform, shop.account
        return _answer({"url": self.stage.media_url(key), "width": 64, "height": 64})

    async def _shops(self, call: Call, shop: Shop) -> Response:
        del call
        one = {"cipher": shop.ids["shop_cipher"], "code": f"GBLC{shop.number:06}", "id": shop.account}
        return _answer({"shops": [one | {"name": shop.name, "region": "GB", "seller_type": "CROSS_BORDER"}]})

    async def _webhooks(self, call: Call, shop: Shop) -> Response:
        del call
        on = [{"address": shop.webhook, "event_type": "NEW_MESSAGE"}] if shop.webhook and shop.pushing else []
        return _answer({"webhooks": on, "total_count": len(on)})

    async def _authorise(self, call: Call) -> Response:
        told = call.params
        shop = self.by_id("app_key", told.get("app_key") or told.get("service_id") or "")
        if shop is None:
            return _error(36_009_004, "Invalid app_key", 400)
        redirect = told.get("redirect_uri") or f"{self.stage.base_url}/_emulator/"
        return self.authorised(shop, redirect, app_key=shop.ids["app_key"], state=told.get("state", ""))

    async def _token(self, call: Call) -> Response:
        told = call.params
        app, shop = self._app(told), self.coded(told.get("auth_code", ""))
        if told.get("grant_type") != "authorized_code" or shop is None or not self.same_app(shop, app):
            return _error(36_004_004, "Invalid auth_code")
        return self._granted(shop)

    async def _renew(self, call: Call) -> Response:
        told = call.params
        app, shop = self._app(told), self.refreshed(told.get("refresh_token", ""))
        if told.get("grant_type") != "refresh_token" or shop is None or not self.same_app(shop, app):
            return _error(36_004_005, "Invalid refresh_token")
        return self._granted(shop)

    def _app(self, told: Mapping[str, str]) -> Shop:
        shop = self.by_id("app_key", told.get("app_key", ""))
        if shop is None or not equal(told.get("app_secret", ""), shop.ids["app_secret"]):
            raise Refusal(_error(36_004_003, "Invalid app_key or app_secret"))
        return shop

    def _granted(self, shop: Shop) -> Response:
        """Ends are times (s), not spans."""
        token = self.granted(shop, ACCESS_S, REFRESH_S)
        now = self.stage.clock.now() // 1000
        return _answer(
            {
                "access_token": token.access,
                "access_token_expire_in": now + ACCESS_S,
                "refresh_token": token.refresh,
                "refresh_token_expire_in": now + REFRESH_S,
                "open_id": shop.ids["open_id"],
                "seller_name": shop.name,
                "seller_base_region": "GB",
                "user_type": 0,
                "granted_scopes": SCOPES,
            }
        )

    def _told(self, shop: Shop, message: Message, *, whole: bool = True) -> dict[str, Any]:
        """A message; `whole`: as the list tells it, with names."""
        buyer = shop.conversations[message.conversation].buyer
        said: dict[str, Any] = {"content": message.text}
        kind = "TEXT"
        if message.media is not None:
            said, kind = {"url": self.stage.media_url(message.media), "width": "64", "height": "64"}, "IMAGE"
        elif (card := next((one for one in shop.begun if one["message"] == message.id), None)) is not None:
            said, kind = {CARDS[card["type"]]: card["number"]}, card["type"]
        role = "BUYER" if message.direction == "in" else "ROBOT" if message.by == "robot" else "CUSTOMER_SERVICE"
        author = {"im_user_id": buyer.id if role == "BUYER" else shop.ids["im_user_id"], "role": role}
        named = {"nickname": buyer.name if role == "BUYER" else shop.name, "avatar": ""} if whole else {}
        return {
            "id": message.id,
            "index": str(message.number),
            "type": kind,
            "content": json.dumps(said, ensure_ascii=False),
            "create_time": message.at // 1000,
            "is_visible": True,
            "sender": author | named,
        }

    def _summary(self, shop: Shop, conversation: Conversation) -> dict[str, Any]:
        buyer = conversation.buyer
        people = [
            {"im_user_id": buyer.id, "user_id": _user(buyer), "role": "BUYER", "nickname": buyer.name},
            {"im_user_id": shop.ids["im_user_id"], "role": "CUSTOMER_SERVICE", "nickname": shop.name},
        ]
        return {
            "id": conversation.id,
            "participant_count": len(people),
            "can_send_message": True,
            "unread_count": 0 if conversation.messages[-1].direction == "out" else 1,
            "latest_message": self._told(shop, conversation.messages[-1]),
            "participants": people,
            "create_time": conversation.messages[0].at // 1000,
        }


def _user(buyer: Buyer) -> str:
    """The id that orders know a buyer by."""
    return f"7{buyer.id[1:]}"[::-1]


def _latest(conversation: Conversation) -> int:
    return conversation.messages[-1].at


def _place(told: Mapping[str, str]) -> int:
    return _number(told, "page_token", 0)


def _number(told: Mapping[str, str], name: str, usual: int) -> int:
    found = told.get(name, "")
    return int(found) if found.isdigit() and int(found) else usual


def _answer(data: dict[str, Any]) -> Response:
    return answer({"code": 0, "message": "Success", "data": data, "request_id": "202309060651534E3E"})


def _error(code: int, message: str, status: int = 200) -> Response:
    return answer({"code": code, "message": message, "data": None, "request_id": "202309060651534E3E"}, status)
