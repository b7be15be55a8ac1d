"""Lazada Open Platform: pushes of types 2 and 19, instant messaging, token calls.

After "Push Mechanism", "Instant Messaging API", "Signature" and "Seller authorization" of its pages. The fields of a
picture's content are unconfirmed (`imgUrl`, `width`, `height`).
"""

from __future__ import annotations

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
    compact,
    digits,
    equal,
    hmac_hex,
    older,
    secret_of,
)
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop

ACCESS_S, REFRESH_S = 30 * 24 * 3_600, 180 * 24 * 3_600
VALID_MS = 7_200_000
CHAT, SESSION = 2, 19
TEXT, PICTURE = 1, 3
CARDS = {"10006": "item_id", "10007": "order_id", "10008": "promotion_id"}
BUYER, SELLER = 1, 2
SITE = "SG"
RECALL_MS = 120_000
OPENED_MS = 30 * 86_400_000
"""How old an order may be whose session is opened."""


class Lazada(Platform):
    """An app for each seller, or one for several. Its API answers below `/rest` and without it."""

    name = "lazada"
    receipts = ("read",)
    echoes = frozenset({"api", "app", "robot"})
    rate = Rate(requests=20)
    languages = ("ms", "th", "id")
    app_ids = ("app_key", "app_secret")

    def open(self, number: int, rng: Random) -> Shop:
        """A seller with a number of eight digits."""
        own = digits(rng, 8)
        ids = {
            "app_key": digits(rng, 6),
            "app_secret": secret_of(f"lazada {own}", 32),
            "seller_id": own,
            "user_id": digits(rng, 9),
        }
        return self.shop_of(number, own, "Lazada store", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """What the console and the authorisation give."""
        told = {name: shop.ids[name] for name in ("app_key", "app_secret", "seller_id")}
        tokens = {"access_token": shop.token.access, "refresh_token": shop.token.refresh}
        return told | tokens | {"picture_field": "imgUrl", "country": SITE.lower()}

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """A session's id, of both accounts and the site."""
        return f"{shop.ids['user_id']}_2_{buyer.id}_1_103"

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Letters and digits."""
        del shop, conversation
        return _base36(number)

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """Type 2 for messages and recalls, type 19 for how far the buyer has read."""
        del attempt
        message = happening.message
        if message is None or happening.kind not in {"message", "recall", "status"}:
            return None
        if happening.kind == "status":
            data, kind = self._position(shop, message), SESSION
            if happening.status == "failed":
                data, kind = self._told(shop, message) | {"process_msg": "The message was not sent"}, CHAT
        else:
            data, kind = self._told(shop, message), CHAT
        whole = {"seller_id": shop.account, "message_type": kind, "data": data, "timestamp": happening.at // 1000}
        return compact(whole | {"site": f"lazada_{SITE.lower()}"})

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The app key and the body, with the app's secret."""
        del happening, url
        return {"Authorization": hmac_hex(shop.ids["app_secret"], shop.ids["app_key"].encode() + body)}

    def points(self) -> list[Point]:
        """The calls of instant messaging and authorisation."""
        calls = [
            ("POST", "/im/message/send", self._send, True),
            ("GET", "/im/session/list", self._sessions, False),
            ("GET", "/im/session/get", self._session, False),
            ("GET", "/im/message/list", self._messages, False),
            ("GET", "/im/session/open", self._open, False),
            ("POST", "/im/session/open", self._open, False),
            ("POST", "/im/session/read", self._read, False),
            ("POST", "/im/message/recall", self._recall, False),
            ("POST", "/image/upload", self._upload, False),
            ("GET", "/seller/get", self._seller, False),
        ]
        opened = [
            ("POST", "/auth/token/create", self._token),
            ("POST", "/auth/token/refresh", self._renew),
            ("GET", "/auth/token/create", self._token),
            ("GET", "/auth/token/refresh", self._renew),
        ]
        return [
            Point(method="GET", path="/oauth/authorize", opened=self._authorise),
            *(
                Point(method=method, path=base + path, handler=handler, sends=sends)
                for base in ("/rest", "")
                for method, path, handler, sends in calls
            ),
            *(Point(method=m, path=base + path, opened=deed) for base in ("/rest", "") for m, path, deed in opened),
        ]

    def caller(self, call: Call) -> Shop:
        """All parameters in their order are signed, the path before them."""
        told = call.params | call.form()
        app, token = self._app(call, told), told.get("access_token", "")
        shop = self.by_token(token)
        return self.valid(shop if self.same_app(shop, app) else None, token)

    def denied(self) -> Response:
        """Told in the body."""
        return _error("IllegalAccessToken", "The specified access token is invalid or expired")

    def limited(self) -> Response:
        """Told in the body."""
        return _error("ApiCallLimit", "The request has exceeded the frequency limit, banned for 1 second")

    def broken(self) -> Response:
        """Told in the body: the gateway has answered."""
        return _error("ServiceUnavailable", "Service temporarily unavailable", "ISP")

    def _app(self, call: Call, told: dict[str, str]) -> Shop:
        """A shop of the app, its signature and time being right. Raises Refusal."""
        shop = self.by_id("app_key", told.get("app_key", ""))
        if shop is None:
            raise Refusal(_error("InvalidAppKey", "The specified App Key is invalid"))
        path = call.path.removeprefix("/rest")
        signed = path + "".join(f"{name}{told[name]}" for name in sorted(told) if name != "sign")
        if not equal(told.get("sign", ""), hmac_hex(shop.ids["app_secret"], signed.encode()).upper()):
            raise Refusal(_error("IncompleteSignature", "The request signature does not conform to platform standards"))
        stamp = told.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - call.wall) > VALID_MS:
            raise Refusal(_error("IllegalTimestamp", "The specified timestamp is outside of 7200 seconds"))
        return shop

    async def _send(self, call: Call, shop: Shop) -> Response:
        told = call.params | call.form()
        session = shop.conversations.get(told.get("session_id", ""))
        if session is None:
            return _error("-2", "session not exist", "ISV")
        template, link = told.get("template_id"), told.get("img_url", "")
        if template == str(TEXT) and not told.get("txt"):
            return _error("InvalidParameter", "txt is empty", "ISV")
        number = told.get(CARDS.get(template or "", ""), "")
        if template in CARDS and not number.isdigit():
            return _error("InvalidParameter", f"{CARDS[template]} is not a number", "ISV")
        media = self.stage.linked(shop, link) if template == str(PICTURE) else None
        message = self.stage.write(session, told.get("txt", ""), by="api", media=media)
        if template in CARDS:
            shop.begun.append({"message": message.id, "template": template, "number": number})
        return _answer({"message_id": message.id, "current_time": message.at})

    async def _sessions(self, call: Call, shop: Shop) -> Response:
        told = call.params
        start, size = _number(told, "start_time", 0), min(_number(told, "page_size", 20), 20)
        held = sorted((one for one in shop.conversations.values() if one.messages), key=_latest, reverse=True)
        held = [one for one in held if not start or _latest(one) <= start]
        after = told.get("last_session_id")
        place = next((index + 1 for index, one in enumerate(held) if one.id == after), 0)
        page = held[place : place + size]
        more = len(held) > place + len(page)
        return _answer(
            {
                "session_list": [self._summary(shop, one) for one in page],
                "has_more": more,
                "next_start_time": _latest(page[-1]) if page else start,
                "last_session_id": page[-1].id if page else "",
            }
        )

    async def _session(self, call: Call, shop: Shop) -> Response:
        found = shop.conversations.get(call.params.get("session_id", ""))
        if found is None or not found.messages:
            return _error("-2", "session not exist", "ISV")
        return _answer(self._summary(shop, found))

    async def _messages(self, call: Call, shop: Shop) -> Response:
        told = call.params
        session = shop.conversations.get(told.get("session_id", ""))
        if session is None:
            return _error("-2", "session not exist", "ISV")
        start, size = _number(told, "start_time", 0), min(_number(told, "page_size", 20), 20)
        after = told.get("last_message_id", "")
        held = [one for one in older(session.messages, after) if not start or one.at <= start]
        page = held[-size:]
        return _answer(
            {
                "message_list": [self._told(shop, one) for one in reversed(page)],
                "has_more": len(held) > len(page),
                "next_start_time": page[0].at if page else start,
                "last_message_id": page[0].id if page else "",
            }
        )

    async def _open(self, call: Call, shop: Shop) -> Response:
        """The session of whoever wrote about an order, its age being that of the first such message."""
        order = (call.params | call.form()).get("order_id", "")
        named = next((one for one in shop.messages() if one.order == order), None) if order else None
        if named is None:
            return _error("-21", "order not exist", "ISV")
        if named.at < self.stage.clock.now() - OPENED_MS:
            return _error("-22", "order out of day limit: 30", "ISV")
        return answer({"code": "0", "session_id": named.conversation, "request_id": "0ba2887315178178017221014"})

    async def _read(self, call: Call, shop: Shop) -> Response:
        told = call.params | call.form()
        session, message = told.get("session_id", ""), told.get("last_read_message_id", "")
        if shop.find(message, session) is None:
            return _error("-5", "no such message in the session", "ISV")
        shop.read[session] = message
        return _answer({})

    async def _recall(self, call: Call, shop: Shop) -> Response:
        told = call.params | call.form()
        message = shop.find(told.get("message_id", ""), told.get("session_id"))
        if message is None or message.direction == "in" or message.at < self.stage.clock.now() - RECALL_MS:
            return _error("-13", "message cannot be recalled", "ISV")
        self.stage.recall(message)
        return _answer({})

    async def _upload(self, call: Call, shop: Shop) -> Response:
        file = (await call.files()).get("image")
        if file is None or isinstance(file, str):
            return _error("MissingParameter", "The input parameter image is missing", "ISV")
        key = self.stage.upload(file.mime or "image/jpeg", file.content)
        self.stage.owners[key] = shop.platform, shop.account
        return _answer({"image": {"url": self.stage.media_url(key), "hash_code": key}})

    async def _seller(self, call: Call, shop: Shop) -> Response:
        del call
        about = {"name": shop.name, "seller_id": int(shop.account), "status": "ACTIVE", "location": "Singapore"}
        return _answer(about | {"short_code": f"SG{shop.number:04}", "email": "seller@emulated.example"})

    async def _authorise(self, call: Call) -> Response:
        told = call.params
        shop = self.by_id("app_key", told.get("client_id", ""))
        if shop is None:
            return answer({"error": "client_id is wrong"}, 400)
        return self.authorised(shop, told.get("redirect_uri", ""), state=told.get("state", ""))

    async def _token(self, call: Call) -> Response:
        told = call.params | call.form()
        app, shop = self._app(call, told), self.coded(told.get("code", ""))
        if shop is None or not self.same_app(shop, app):
            return _error("InvalidCode", "Invalid authorization code")
        return self._granted(shop)

    async def _renew(self, call: Call) -> Response:
        told = call.params | call.form()
        app, shop = self._app(call, told), self.refreshed(told.get("refresh_token", ""))
        if shop is None or not self.same_app(shop, app):
            return _error("IllegalRefreshToken", "The specified refresh token is invalid or expired")
        return self._granted(shop)

    def _granted(self, shop: Shop) -> Response:
        token = self.granted(shop, ACCESS_S, REFRESH_S)
        country = {"country": SITE.lower(), "user_id": shop.ids["user_id"], "seller_id": shop.account}
        return answer(
            {
                "access_token": token.access,
                "refresh_token": token.refresh,
                "expires_in": ACCESS_S,
                "refresh_expires_in": REFRESH_S,
                "country": SITE.lower(),
                "country_user_info": [country | {"short_code": f"SG{shop.number:04}"}],
                "account": "seller@emulated.example",
                "account_id": shop.ids["user_id"],
                "account_platform": "seller_center",
                "code": "0",
                "request_id": "0ba2887315178178017221014",
            }
        )

    def _told(self, shop: Shop, message: Message) -> dict[str, Any]:
        """A message as both the push and the list tell it."""
        buyer = shop.conversations[message.conversation].buyer
        out = message.direction == "out"
        people = (shop.ids["user_id"], SELLER), (buyer.id, BUYER)
        author, reader = people if out else reversed(people)
        said: dict[str, Any] = {"txt": message.text}
        template = TEXT
        if message.media is not None:
            said, template = {"imgUrl": self.stage.media_url(message.media), "width": 64, "height": 64}, PICTURE
        elif (card := next((one for one in shop.begun if one["message"] == message.id), None)) is not None:
            said, template = {CARDS[card["template"]]: card["number"]}, int(card["template"])
        return {
            "session_id": message.conversation,
            "message_id": message.id,
            "template_id": template,
            "content": json.dumps(said, ensure_ascii=False),
            "from_account_id": author[0],
            "from_account_type": author[1],
            "to_account_id": reader[0],
            "to_account_type": reader[1],
            "send_time": message.at,
            "type": 1,
            "site_id": SITE,
            "auto_reply": message.by == "robot",
            "status": 1 if message.status == "recalled" else 0,
            "process_msg": "The message was not sent" if message.status == "failed" else "",
        }

    def _position(self, shop: Shop, message: Message) -> dict[str, Any]:
        return {
            "sync_type": "SESSION_UPDATE",
            "user_account_id": shop.ids["user_id"],
            "user_account_type": SELLER,
            "session_id": message.conversation,
            "unread_count": 0,
            "to_position": message.at,
            "self_position": message.at,
            "site_id": SITE,
        }

    def _summary(self, shop: Shop, session: Conversation) -> dict[str, Any]:
        latest = session.messages[-1]
        return {
            "session_id": session.id,
            "title": session.buyer.name,
            "buyer_id": session.buyer.id,
            "last_message_id": latest.id,
            "last_message_time": latest.at,
            "summary": latest.text or "[image]",
            "unread_count": 0 if latest.direction == "out" else 1,
            "self_position": latest.at,
            "to_position": max((m.at for m in session.messages if m.status == "read"), default=0),
            "tags": [],
            "site_id": SITE,
            "seller_id": shop.account,
        }


def _latest(session: Conversation) -> int:
    return session.messages[-1].at


def _base36(number: int) -> str:
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    made = ""
    while number:
        number, digit = divmod(number, len(letters))
        made = letters[digit] + made
    return made or "0"


def _number(told: dict[str, str], name: str, usual: int) -> int:
    found = told.get(name, "")
    return int(found) if found.isdigit() and int(found) else usual


def _answer(data: dict[str, Any]) -> Response:
    done = {"code": "0", "err_code": "0", "err_message": "", "success": True, "data": data}
    return answer(done | {"request_id": "0ba2887315178178017221014"})


def _error(code: str, message: str, kind: str = "ISP") -> Response:
    """HTTP 200: errors stand in the body. Those of the service itself have the code of the service."""
    return answer({"code": code, "type": kind, "message": message, "request_id": "0ba2887315178178017221014"})
