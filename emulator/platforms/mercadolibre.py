"""Mercado Libre: notifications that only point, post-sale messages, tokens.

After "Receive notifications", "Messages after the sale", "Authentication and authorization" and
"Reasons to communicate" of its pages. Unconfirmed: the bodies of sending and of uploads.
"""

from __future__ import annotations

import hashlib
import time
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
    secret_of,
)
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop

ACCESS_S, REFRESH_S = 6 * 3_600, 180 * 24 * 3_600
LONGEST = 350
SITE = "MLB"
GUIDE = "/messages/action_guide/packs/{pack}"
REASONS = {"REQUEST_VARIANTS": "template", "REQUEST_BILLING_INFO": "template", "SEND_INVOICE_LINK": "free_text"}
REASONS |= {"OTHER": "free_text"}
WORDS = {
    "REQUEST_VARIANTS": "Por favor, confirme as opções do produto.",
    "REQUEST_BILLING_INFO": "Para emitir a nota fiscal preciso dos seus dados.",
}


class MercadoLibre(Platform):
    """An application for each seller, or one for several. A pack is a conversation."""

    name = "mercadolibre"
    receipts = ("read",)
    echoes = frozenset({"api", "app", "robot"})
    rate = Rate(requests=500, per_s=60)
    languages = ("pt", "es")
    app_ids = ("client_id", "client_secret")

    def open(self, number: int, rng: Random) -> Shop:
        """A seller with a number of nine digits."""
        own = digits(rng, 9)
        ids = {
            "client_id": digits(rng, 16),
            "client_secret": secret_of(f"mercadolibre {own}", 32),
            "seller_id": own,
            "site": SITE,
        }
        return self.shop_of(number, own, "Mercado Libre seller", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """The application, and what the authorisation gives."""
        return shop.ids | {
            "missed_feeds": "yes",
            "reasons": "yes",
            "access_token": shop.token.access,
            "refresh_token": shop.token.refresh,
        }

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """A user with a number of nine digits."""
        person = super().buyer(shop, number, rng)
        return Buyer(id=digits(rng, 9), name=person.name, language=person.language)

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """A pack's number, sixteen digits."""
        return f"2000{int(hashlib.sha256(f'{shop.key} {buyer.id}'.encode()).hexdigest()[:10], 16) % 10**12:012}"

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Thirty-two hexadecimal digits."""
        del conversation
        return hashlib.sha256(f"{shop.key} {number}".encode()).hexdigest()[:32]

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """A pointer; a message that was read points with `read`."""
        message = happening.message
        if message is None or happening.kind not in {"message", "status"}:
            return None
        return compact(
            {
                "_id": hashlib.sha256(str(happening.id).encode()).hexdigest()[:24],
                "resource": message.id,
                "user_id": int(shop.account),
                "topic": "messages",
                "actions": ["created" if happening.kind == "message" else "read"],
                "application_id": int(shop.ids["client_id"]),
                "attempts": attempt,
                "sent": _iso(self.stage.clock.now()),
                "received": _iso(happening.at),
            }
        )

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """Nothing proves a notification."""
        del shop, happening, url, body
        return {}

    def points(self) -> list[Point]:
        """Messages, files, tokens, the user; post-sale and the marketplace's form of the same addresses."""
        pack = "/messages/packs/{pack}/sellers/{seller}"
        return [
            Point(method="GET", path=pack, handler=self._pack),
            Point(method="POST", path=pack, handler=self._send, sends=True),
            Point(method="GET", path=GUIDE, handler=self._guide),
            Point(method="POST", path=f"{GUIDE}/option", handler=self._option, sends=True),
            Point(method="POST", path="/messages/attachments", handler=self._upload),
            Point(method="GET", path="/messages/attachments/{key}", handler=self._file),
            Point(method="GET", path="/messages/unread", handler=self._unread),
            Point(method="GET", path="/messages/{message}", handler=self._message),
            Point(method="GET", path="/users/me", handler=self._me),
            Point(method="GET", path="/users/{user}", handler=self._user),
            Point(method="GET", path="/applications/{application}", handler=self._application),
            Point(method="GET", path="/missed_feeds", handler=self._missed),
            Point(method="GET", path="/orders/search", handler=self._orders),
            Point(method="POST", path="/oauth/token", opened=self._token),
            Point(method="GET", path="/authorization", opened=self._authorise),
        ]

    def caller(self, call: Call) -> Shop:
        """A bearer token."""
        return self.valid(self.by_token(call.bearer), call.bearer)

    def denied(self) -> Response:
        """401."""
        return _error(401, "unauthorized", "invalid access token")

    def limited(self) -> Response:
        """429."""
        return _error(429, "local_rate_limited", "too many requests")

    def broken(self) -> Response:
        """500."""
        return _error(500, "internal_server_error", "internal server error")

    async def _pack(self, call: Call, shop: Shop) -> Response:
        """The newest first; who does not say otherwise has read them."""
        conversation = self._conversation(call, shop)
        told = call.params
        place, size = _number(told, "offset", 0), min(_number(told, "limit", 10), 50)
        held = conversation.messages[::-1]
        if told.get("mark_as_read") != "false":
            for one in held:
                if one.direction == "in":
                    one.status, one.changed_at = "read", self.stage.clock.now()
        return answer(
            {
                "paging": {"limit": size, "offset": place, "total": len(held)},
                "conversation_status": {"path": call.path, "status": "active", "substatus": None, "claim_ids": None},
                "messages": [self._told(shop, one) for one in held[place : place + size]],
                "seller_max_message_length": LONGEST,
                "buyer_max_message_length": 3_500,
            }
        )

    async def _message(self, call: Call, shop: Shop) -> Response:
        found = shop.find(call.http.path_params["message"])
        if found is None:
            return _error(404, "not_found", "message not found")
        paging = {"limit": 1, "offset": 0, "total": 1}
        return answer({"paging": paging, "messages": [self._told(shop, found)]})

    async def _send(self, call: Call, shop: Shop) -> Response:
        conversation, told = self._conversation(call, shop), call.json()
        text, files = str(told.get("text") or ""), told.get("attachments") or []
        if str((told.get("from") or {}).get("user_id")) != shop.account:
            return _error(403, "forbidden", "from.user_id is not the seller")
        if not 0 < len(text) <= LONGEST:
            return _error(400, "bad_request", f"text must have 1 to {LONGEST} characters")
        media = str(files[0]).partition("_")[0] if files else None
        message = self.stage.write(conversation, text, by="api", media=media)
        return answer(self._told(shop, message), 201)

    async def _guide(self, call: Call, shop: Shop) -> Response:
        """The reasons to write first, each good for one message until the buyer answers."""
        pack = shop.conversations.get(str(call.http.path_params["pack"]))
        if pack is None:
            return _error(404, "not_found", "the pack was not found")
        return answer({"options": [_reason(pack, shop, name, kind) for name, kind in REASONS.items()]})

    async def _option(self, call: Call, shop: Shop) -> Response:
        pack, told = shop.conversations.get(str(call.http.path_params["pack"])), call.json()
        name, text = str(told.get("option_id")), str(told.get("text") or "")
        if pack is None or name not in REASONS:
            return _error(404, "not_found", "The option selected is not valid")
        if pack.messages and pack.messages[-1].direction == "in":
            return _error(403, "forbidden", "This package has the conversation blocked")
        if not _left(pack, shop, name):
            return _error(403, "bad_request", f"You are not allowed to execute the option {name} again")
        if REASONS[name] == "free_text" and not 0 < len(text) <= LONGEST:
            return _error(400, "limit_exceeded", "The text is invalid")
        if REASONS[name] == "template":
            if told.get("template_id") != _template(name):
                return _error(400, "bad_request", "template_id is wrong")
            text = WORDS[name]
        message = self.stage.write(pack, text, by="api")
        shop.begun.append({"message": message.id, "pack": pack.id, "reason": name})
        return answer(self._told(shop, message))

    async def _upload(self, call: Call, shop: Shop) -> Response:
        file = (await call.files()).get("file")
        if file is None or isinstance(file, str):
            return _error(400, "bad_request", "file is missing")
        key = self.stage.upload(file.mime or self.mime, file.content)
        self.stage.owners[key] = shop.platform, shop.account
        return answer({"id": f"{key}_{secret_of(key, 8)}.jpeg"}, 201)

    async def _file(self, call: Call, shop: Shop) -> Response:
        key = call.http.path_params["key"].partition("_")[0].partition(".")[0]
        return self.stage.file(key, (shop.platform, shop.account))

    async def _unread(self, call: Call, shop: Shop) -> Response:
        del call
        found = []
        for conversation in shop.conversations.values():
            count = sum(one.direction == "in" and one.status != "read" for one in conversation.messages)
            if count:
                found.append({"resource": f"/packs/{conversation.id}/sellers/{shop.account}", "count": count})
        return answer({"user_id": int(shop.account), "results": found})

    async def _me(self, call: Call, shop: Shop) -> Response:
        del call
        return answer({"id": int(shop.account), "nickname": shop.name.upper(), "site_id": SITE, "status": {}})

    async def _user(self, call: Call, shop: Shop) -> Response:
        own = call.http.path_params["user"]
        person = next((one for one in shop.buyers if one.id == own), None)
        if own == shop.account:
            return await self._me(call, shop)
        if person is None:
            return _error(404, "not_found", "user not found")
        return answer({"id": int(person.id), "nickname": person.name.upper(), "site_id": SITE})

    async def _application(self, call: Call, shop: Shop) -> Response:
        del call
        topics = ["messages"] if shop.pushing else []
        own = {
            "id": int(shop.ids["client_id"]),
            "callback_url": shop.webhook,
            "notifications_callback_url": shop.webhook,
        }
        return answer(own | {"notifications_topics": topics})

    async def _missed(self, call: Call, shop: Shop) -> Response:
        """What no notification was accepted for."""
        del call
        missed = [
            self.body(shop, one.happening, len(one.attempts))
            for one in self.stage.pusher.deliveries
            if one.happening.shop == shop.key and one.state in {"lost", "kept"}
        ]
        bodies = b",".join(body for body in missed if body is not None)
        return Response(b'{"messages":[' + bodies + b"]}", media_type="application/json")

    async def _orders(self, call: Call, shop: Shop) -> Response:
        """An order for each pack that was written about, the latest first."""
        told = call.params
        place, size = _number(told, "offset", 0), min(_number(told, "limit", 50), 51)
        held = sorted((c for c in shop.conversations.values() if c.messages), key=_latest, reverse=True)
        listed = [
            {
                "id": int(one.id) + 1,
                "pack_id": int(one.id),
                "date_created": _iso(one.messages[0].at),
                "last_updated": _iso(_latest(one)),
                "buyer": {"id": int(one.buyer.id), "nickname": one.buyer.name.upper()},
                "seller": {"id": int(shop.account)},
            }
            for one in held[place : place + size]
        ]
        return answer({"results": listed, "paging": {"total": len(held), "offset": place, "limit": size}})

    async def _authorise(self, call: Call) -> Response:
        told = call.params
        shop = self.by_id("client_id", told.get("client_id", ""))
        if shop is None:
            return _error(400, "invalid_client", "client_id is wrong")
        return self.authorised(shop, told.get("redirect_uri", ""), state=told.get("state", ""))

    async def _token(self, call: Call) -> Response:
        """A refresh token holds once."""
        told = call.form() or call.json()
        app = self.by_id("client_id", str(told.get("client_id") or ""))
        if app is None or not equal(str(told.get("client_secret") or ""), app.ids["client_secret"]):
            return _error(400, "invalid_client", "invalid client_id or client_secret")
        shop = None
        if told.get("grant_type") == "authorization_code":
            shop = self.coded(str(told.get("code")))
        elif told.get("grant_type") == "refresh_token":
            shop = self.refreshed(str(told.get("refresh_token")))
        if shop is None or not self.same_app(shop, app):
            return _error(400, "invalid_grant", "the grant is invalid, expired or revoked")
        token = self.granted(shop, ACCESS_S, REFRESH_S)
        return answer(
            {
                "access_token": token.access,
                "token_type": "Bearer",
                "expires_in": ACCESS_S,
                "scope": "offline_access read write",
                "user_id": int(shop.account),
                "refresh_token": token.refresh,
            }
        )

    def _conversation(self, call: Call, shop: Shop) -> Conversation:
        told = call.http.path_params
        found = shop.conversations.get(told["pack"])
        if found is None or told["seller"] != shop.account:
            raise Refusal(_error(404, "not_found", "the pack was not found"))
        return found

    def _told(self, shop: Shop, message: Message) -> dict[str, Any]:
        buyer = shop.conversations[message.conversation].buyer.id
        sender, reader = (buyer, shop.account) if message.direction == "in" else (shop.account, buyer)
        at = _iso(message.at)
        read = _iso(message.changed_at) if message.status == "read" else None
        files = []
        if message.media is not None and (found := self.stage.world.media.get(message.media)):
            name = f"{message.media}_{secret_of(message.media, 8)}.{found.mime.rpartition('/')[2]}"
            size = len(found.content)
            files = [{"filename": name, "original_filename": "photo.jpeg", "type": found.mime, "size": size}]
        moderated = {"status": "clean", "date_moderated": at, "source": "online", "reason": None}
        resources = [{"id": message.conversation, "name": "packs"}, {"id": shop.account, "name": "sellers"}]
        return {
            "id": message.id,
            "site_id": SITE,
            "client_id": int(shop.ids["client_id"]),
            "from": {"user_id": int(sender)},
            "to": {"user_id": int(reader)},
            "status": "available",
            "subject": None,
            "text": message.text,
            "message_date": {"received": at, "available": at, "notified": at, "created": at, "read": read},
            "message_moderation": moderated,
            "message_attachments": files,
            "message_resources": resources,
            "conversation_first_message": False,
        }


def _left(pack: Conversation, shop: Shop, name: str) -> bool:
    """Whether the reason was not used since the buyer wrote last."""
    heard = max((index for index, one in enumerate(pack.messages) if one.direction == "in"), default=-1)
    since = {one.id for one in pack.messages[heard + 1 :]}
    return all(one["reason"] != name or one["message"] not in since for one in shop.begun)


def _reason(pack: Conversation, shop: Shop, name: str, kind: str) -> dict[str, Any]:
    """A reason as it is offered; none is good for anything while the buyer waits for an answer."""
    waits = bool(pack.messages) and pack.messages[-1].direction == "in"
    templates = [{"id": _template(name), "vars": None}] if kind == "template" else None
    return {
        "id": name,
        "internal_description": name.lower(),
        "enabled": True,
        "type": kind,
        "templates": templates,
        "actionable": True,
        "char_limit": LONGEST if kind == "free_text" else None,
        "child_options": None,
        "cap_available": 1 if _left(pack, shop, name) and not waits else 0,
    }


def _template(name: str) -> str:
    return f"TEMPLATE___{name}___1"


def _latest(conversation: Conversation) -> int:
    return conversation.messages[-1].at


def _number(told: dict[str, str], name: str, usual: int) -> int:
    found = told.get(name, "")
    return int(found) if found.isdigit() else usual


def _iso(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03}Z"


def _error(status: int, code: str, message: str) -> Response:
    return answer({"message": message, "error": code, "status": status, "cause": []}, status)
