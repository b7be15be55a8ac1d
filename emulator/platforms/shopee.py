"""Shopee Open Platform v2: push code 10, seller chat, lost pushes, token calls.

After "webchat_push", "Push Mechanism", "Authorization and Authentication" and the SellerChat module of its pages.
"""

from __future__ import annotations

from random import Random
from typing import Any

from starlette.responses import Response

from emulator.platforms.contract import (
    JSON,
    Call,
    Greeting,
    Platform,
    Point,
    Rate,
    Refusal,
    answer,
    compact,
    digits,
    equal,
    first_token,
    hmac_hex,
    older,
    secret_of,
)
from emulator.pushes import Happening, Request
from emulator.world import Buyer, Conversation, Message, Shop

ACCESS_S, REFRESH_S = 4 * 3_600, 30 * 24 * 3_600
VALID_S = 300
LOST_MOST, LOST_MS = 100, 3 * 24 * 3_600_000
MOST_IMAGE = 2 * 2**20
CODE = 10
REGION = "ID"
CARDS = {"item": "item_id", "order": "order_sn"}


class Shopee(Platform):
    """A partner app for each shop, or one for several."""

    name = "shopee"
    echoes = frozenset({"api", "app", "robot"})
    rate = Rate(requests=20)
    languages = ("id", "th", "en")
    app_ids = ("partner_id", "partner_key", "push_key")

    def open(self, number: int, rng: Random) -> Shop:
        """A shop with a number of nine digits."""
        own = digits(rng, 9)
        language = self.languages[(number - 1) % len(self.languages)]
        ids = {
            "partner_id": digits(rng, 7),
            "partner_key": "shpk" + secret_of(f"shopee partner {own}", 60),
            "push_key": "shpk" + secret_of(f"shopee push {own}", 60),
            "shop_id": own,
            "user_id": digits(rng, 9),
        }
        token = first_token(f"shopee {own}")
        return self.shop_of(number, own, "Shopee shop", ids, language=language, token=token)

    def settings(self, shop: Shop) -> dict[str, str]:
        """What the console and the authorisation give."""
        told = {name: shop.ids[name] for name in ("partner_id", "partner_key", "push_key", "shop_id")}
        return told | {"access_token": shop.token.access, "refresh_token": shop.token.refresh}

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """Digits of both."""
        return f"{buyer.id}{shop.account[-6:]}"

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Nineteen digits."""
        del conversation
        return str(number * 1000 + shop.number % 1000)

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """webchat_push."""
        del attempt
        if happening.kind != "message" or happening.message is None:
            return None
        content = self._content(shop, happening.message)
        return compact(
            {
                "msg_id": f"{happening.id:x}",
                "code": CODE,
                "shop_id": int(shop.account),
                "timestamp": happening.at // 1000,
                "data": {"type": "message", "region": REGION, "content": content},
            }
        )

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The address and the body, with the push key."""
        del happening
        return {"Authorization": hmac_hex(shop.ids["push_key"], f"{url}|".encode() + body)}

    def greeting(self, shop: Shop, url: str) -> Greeting:
        """The console's verification: code 0."""
        del shop
        body = compact({"code": 0, "timestamp": self.stage.clock.wall() // 1000, "data": {"verify_info": "hello"}})
        return Greeting(
            url=url,
            request=Request(body=body, headers={"Content-Type": JSON}),
            proves=lambda status, _: 200 <= status < 300,  # noqa: PLR2004 # the answers of success
        )

    def points(self) -> list[Point]:
        """The calls of chat, push and authorisation."""
        chat, api = "/api/v2/sellerchat", "/api/v2"
        return [
            Point(method="POST", path=f"{chat}/send_message", handler=self._send, sends=True),
            Point(method="POST", path=f"{chat}/send_autoreply_message", handler=self._send, sends=True),
            Point(method="GET", path=f"{chat}/get_message", handler=self._messages),
            Point(method="GET", path=f"{chat}/get_conversation_list", handler=self._conversations),
            Point(method="GET", path=f"{chat}/get_one_conversation", handler=self._conversation),
            Point(method="POST", path=f"{chat}/read_conversation", handler=self._read),
            Point(method="POST", path=f"{chat}/upload_image", handler=self._upload),
            Point(method="GET", path=f"{api}/shop/get_shop_info", handler=self._info),
            Point(method="GET", path=f"{api}/push/get_lost_push_message", opened=self._lost),
            Point(method="POST", path=f"{api}/push/confirm_consumed_lost_push_message", opened=self._consumed),
            Point(method="GET", path=f"{api}/push/get_app_push_config", opened=self._config),
            Point(method="GET", path=f"{api}/shop/auth_partner", opened=self._authorise),
            Point(method="POST", path=f"{api}/auth/token/get", opened=self._token),
            Point(method="POST", path=f"{api}/auth/access_token/get", opened=self._renew),
        ]

    def caller(self, call: Call) -> Shop:
        """A shop-level request: partner, path, time, token and shop are signed."""
        told = call.params
        shop = self.by_id("shop_id", told.get("shop_id", ""))
        if shop is None or told.get("partner_id") != shop.ids["partner_id"]:
            raise Refusal(_error("error_param", "shop_id or partner_id is wrong"))
        self._check(call, shop, told.get("access_token", "") + shop.account)
        return self.valid(shop, told.get("access_token", ""))

    def denied(self) -> Response:
        """403, as every error of authorisation."""
        return _error("error_auth", "Invalid access_token, please have a check.", 403)

    def limited(self) -> Response:
        """Told in the body."""
        return _error("error_rate_limit", "Your api call has exceeded the rate limit, please try later.", 429)

    def broken(self) -> Response:
        """A fault of its servers."""
        return _error("error_server", "Something wrong. Please try later.", 500)

    def _partner(self, call: Call) -> Shop:
        """A public request: partner, path and time are signed; the partner's shop. Raises Refusal."""
        shop = self.by_id("partner_id", call.params.get("partner_id", ""))
        if shop is None:
            raise Refusal(_error("error_param", "partner_id is wrong"))
        self._check(call, shop, "")
        return shop

    def _check(self, call: Call, shop: Shop, rest: str) -> None:
        told = call.params
        stamp = told.get("timestamp", "")
        genuine = hmac_hex(shop.ids["partner_key"], f"{shop.ids['partner_id']}{call.path}{stamp}{rest}".encode())
        if not equal(told.get("sign", ""), genuine):
            raise Refusal(_error("error_sign", "Wrong sign.", 403))
        if not stamp.isdigit() or abs(int(stamp) - call.wall // 1000) > VALID_S:
            raise Refusal(_error("error_param", "Invalid timestamp.", 403))

    async def _send(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        given = told.get("content")
        content: dict[str, Any] = given if isinstance(given, dict) else {}
        buyer = next((one for one in shop.buyers if one.id == str(told.get("to_id"))), None)
        if buyer is None:
            return _error("error_param", "to_id is not a buyer of this shop")
        kind, text = told.get("message_type"), str(content.get("text") or "")
        link = str(content.get("image_url") or content.get("url") or "")
        if (kind == "text" and not text) or (kind == "image" and not link):
            return _error("error_param", "content is empty")
        card = content.get(CARDS.get(str(kind), ""))
        if kind in CARDS and not card:
            return _error("error_param", f"{CARDS[kind]} is missing")
        media = self.stage.linked(shop, link) if kind == "image" else None
        own = self.conversation_id(shop, buyer)
        conversation = self.stage.conversation(shop, buyer.id, own)
        by = "robot" if call.path.endswith("send_autoreply_message") else "api"
        message = self.stage.write(conversation, text, by=by, media=media)
        if kind in CARDS:
            shop.begun.append({"message": message.id, "type": kind, "number": card})
        return _answer(
            {
                "message_id": message.id,
                "to_id": int(buyer.id),
                "message_type": kind,
                "content": content,
                "conversation_id": int(own),
                "created_timestamp": message.at // 1000,
                "message_option": 0,
            }
        )

    async def _messages(self, call: Call, shop: Shop) -> Response:
        told = call.params
        conversation = shop.conversations.get(told.get("conversation_id", ""))
        if conversation is None:
            return _error("error_param", "conversation_id is wrong")
        size, before = _number(told, "page_size", 25), told.get("offset", "")
        held = older(conversation.messages, before.strip("0") and before)
        page = held[-size:]
        further = page[0].id if len(held) > len(page) else ""
        told_ = [self._content(shop, one) | {"source": "webchat"} for one in reversed(page)]
        return _answer({"messages": told_, "page_result": {"next_offset": further, "page_size": len(page)}})

    async def _conversations(self, call: Call, shop: Shop) -> Response:
        told = call.params
        size, cursor = _number(told, "page_size", 25), _number(told, "next_timestamp_nano", 0)
        held = sorted((one for one in shop.conversations.values() if one.messages), key=_latest, reverse=True)
        if cursor:
            held = [one for one in held if _latest(one) < cursor]
        page = held[:size]
        following = _latest(page[-1]) if page else 0
        result = {
            "page_size": len(page),
            "next_cursor": {"next_message_time_nano": str(following), "conversation_id": page[-1].id if page else ""},
            "more": len(held) > len(page),
        }
        return _answer({"conversations": [self._summary(shop, one) for one in page], "page_result": result})

    async def _conversation(self, call: Call, shop: Shop) -> Response:
        found = shop.conversations.get(call.params.get("conversation_id", ""))
        if found is None or not found.messages:
            return _error("error_param", "conversation_id is wrong")
        return _answer(self._summary(shop, found))

    async def _read(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        conversation, message = str(told.get("conversation_id")), str(told.get("last_read_message_id"))
        if shop.find(message, conversation) is None:
            return _error("error_param", "there is no such message in the conversation")
        shop.read[conversation] = message
        return _answer({})

    async def _upload(self, call: Call, shop: Shop) -> Response:
        file = (await call.files()).get("file")
        if file is None or isinstance(file, str):
            return _error("error_param", "file is missing")
        content = file.content
        if len(content) > MOST_IMAGE:
            return _error("error_param", "the image is larger than 2 MB")
        key = self.stage.upload(file.mime or "image/jpeg", content)
        self.stage.owners[key] = shop.platform, shop.account
        url = self.stage.media_url(key)
        return _answer({"url": url, "thumbnail": url})

    async def _info(self, call: Call, shop: Shop) -> Response:
        del call
        now = self.stage.clock.now() // 1000
        info = {"shop_name": shop.name, "region": REGION, "status": "NORMAL", "auth_time": now - 86_400}
        return answer(_envelope() | info | {"expire_time": now + 300 * 86_400})

    async def _lost(self, call: Call) -> Response:
        """Of all shops of the app."""
        shop = self._partner(call)
        keys = {one.key: one for one in self.siblings(shop)}
        oldest, after = self.stage.clock.now() - LOST_MS, int(shop.ids.get("lost_read", "0"))
        lost = [
            one
            for one in self.stage.pusher.deliveries
            if one.happening.shop in keys
            and one.state in {"lost", "kept"}
            and one.happening.at >= oldest
            and one.id > after
        ]
        page = lost[:LOST_MOST]
        pushes = [(one, self.body(keys[one.happening.shop], one.happening, 1)) for one in page]
        listed = [
            {
                "shop_id": int(keys[one.happening.shop].account),
                "code": CODE,
                "timestamp": one.happening.at // 1000,
                "data": body.decode(),
            }
            for one, body in pushes
            if body is not None
        ]
        last = page[-1].id if page else 0
        return _answer({"push_message_list": listed, "has_next_page": len(lost) > len(page), "last_message_id": last})

    async def _consumed(self, call: Call) -> Response:
        shop = self._partner(call)
        shop.ids["lost_read"] = str(int(call.json().get("last_message_id") or 0))
        return _answer({})

    async def _config(self, call: Call) -> Response:
        shop = self._partner(call)
        state = "Normal" if shop.pushing else "Suspended"
        return _answer(
            {"callback_url": shop.webhook or "", "live_push_status": state, "push_config_on_list": [CODE]}
            | ({} if shop.pushing else {"suspended_time": self.stage.clock.now() // 1000})
        )

    async def _authorise(self, call: Call) -> Response:
        shop = self._partner(call)
        return self.authorised(shop, call.params.get("redirect", ""), shop_id=shop.account)

    async def _token(self, call: Call) -> Response:
        app, told = self._partner(call), call.json()
        shop = self.coded(str(told.get("code")))
        if shop is None or not self.same_app(shop, app) or str(told.get("shop_id")) != shop.account:
            return _error("error_auth", "Invalid code.", 403)
        return self._granted(shop)

    async def _renew(self, call: Call) -> Response:
        app, told = self._partner(call), call.json()
        shop = self.refreshed(str(told.get("refresh_token")))
        if shop is None or not self.same_app(shop, app):
            return _error("error_auth", "Invalid refresh_token.", 403)
        return self._granted(shop)

    def _granted(self, shop: Shop) -> Response:
        token = self.granted(shop, ACCESS_S, REFRESH_S)
        told = {"access_token": token.access, "refresh_token": token.refresh, "expire_in": ACCESS_S}
        return answer(_envelope() | told | {"shop_id": int(shop.account), "partner_id": int(shop.ids["partner_id"])})

    def _content(self, shop: Shop, message: Message) -> dict[str, Any]:
        """A message as both the push and the list tell it."""
        buyer = shop.conversations[message.conversation].buyer
        ours, theirs = int(shop.ids["user_id"]), int(buyer.id)
        out = message.direction == "out"
        own = int(shop.account)
        said: dict[str, Any] = {"text": message.text}
        kind = "text"
        if (card := next((one for one in shop.begun if one["message"] == message.id), None)) is not None:
            said, kind = {CARDS[card["type"]]: card["number"]}, card["type"]
        if message.media is not None:
            url, kind = self.stage.media_url(message.media), "image"
            said = {"url": url, "thumb_url": url, "thumb_width": 64, "thumb_height": 64, "file_server_id": 0}
        return {
            "message_id": message.id,
            "conversation_id": message.conversation,
            "request_id": f"{message.number:x}",
            "shop_id": own,
            "from_id": ours if out else theirs,
            "from_user_name": shop.name if out else buyer.name,
            "to_id": theirs if out else ours,
            "to_user_name": buyer.name if out else shop.name,
            "from_shop_id": own if out else 0,
            "to_shop_id": 0 if out else own,
            "message_type": kind,
            "content": said,
            "created_timestamp": message.at // 1000,
            "region": REGION,
            "status": "auto_reply" if message.by == "robot" else "normal",
            "business_type": 0,
            "is_in_chatbot_session": False,
            "source_content": {"order_sn": message.order} if message.order else {},
            "quoted_msg": {"message_id": message.reply_to or ""},
            "sub_account_id": 0,
            "sub_account_name": 0,
        }

    def _summary(self, shop: Shop, conversation: Conversation) -> dict[str, Any]:
        latest = conversation.messages[-1]
        told = self._content(shop, latest)
        return {
            "conversation_id": conversation.id,
            "to_id": int(conversation.buyer.id),
            "to_name": conversation.buyer.name,
            "shop_id": int(shop.account),
            "unread_count": 0 if latest.direction == "out" else 1,
            "pinned": False,
            "latest_message_id": latest.id,
            "latest_message_type": told["message_type"],
            "latest_message_content": told["content"],
            "latest_message_from_id": told["from_id"],
            "last_message_timestamp": _latest(conversation),
        }


def _latest(conversation: Conversation) -> int:
    """When it was last written in, ns; no two are the same."""
    last = conversation.messages[-1]
    return last.at * 10**6 + last.number % 10**6


def _number(told: dict[str, str], name: str, usual: int) -> int:
    found = told.get(name, "")
    return int(found) if found.isdigit() and int(found) else usual


def _envelope() -> dict[str, Any]:
    return {"error": "", "message": "", "request_id": "e3e3e7f1"}


def _answer(response: dict[str, Any]) -> Response:
    return answer(_envelope() | {"response": response})


def _error(code: str, message: str, status: int = 200) -> Response:
    return answer(_envelope() | {"error": code, "message": message}, status)
