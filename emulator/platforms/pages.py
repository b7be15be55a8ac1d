"""Messenger and Instagram: webhooks of `messaging`, the Send API, the Conversations API.

After "Webhook Events Reference", "Send API" and "Conversations API" of the Messenger Platform, and "Instagram
Messaging".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from starlette.responses import Response

from emulator.platforms.contract import Call, Point, Rate, answer, digits, hmac_raw
from emulator.platforms.graph import VERSIONED, WINDOW_MS, Graph, fault, graph_time
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop


class Pages(Graph):
    """What both share. Its API answers for the account by its id and as `me`."""

    echoes = frozenset({"api", "app", "robot"})
    rate = Rate(requests=100)
    longest = 2_000
    unit = "characters"
    id_name = "page_id"
    title = "Page"

    def open(self, number: int, rng: Random) -> Shop:
        """An account with a number of fifteen digits."""
        own = digits(rng, 15)
        ids = self.app(number, rng) | {self.id_name: own, "user_id": own}
        return self.shop(number, own, ids, self.title)

    def settings(self, shop: Shop) -> dict[str, str]:
        """What the App Dashboard gives."""
        told = {name: shop.ids[name] for name in ("app_id", "app_secret", "verify_token", self.id_name)}
        return told | {"access_token": shop.token.access}

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """A person, known by an id of this page only."""
        person = super().buyer(shop, number, rng)
        return Buyer(id=digits(rng, 16), name=person.name, language=person.language)

    def thread(self, conversation: Conversation) -> str:
        """The id of a conversation in the Conversations API; webhooks tell none."""
        return f"t_{conversation.id}"

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """`messaging` with a message, an echo, a receipt or what was unsent."""
        del attempt
        message = happening.message
        if message is None:
            return None
        item = self._item(shop, happening, message)
        if item is None:
            return None
        return self.wrapped({"id": shop.account, "time": happening.at, "messaging": [item]})

    def points(self) -> list[Point]:
        """Calls with a version and without one."""
        own = "/{account}"
        calls = [
            ("POST", f"{own}/messages", self._send, True),
            ("POST", f"{own}/message_attachments", self._upload, False),
            ("GET", f"{own}/conversations", self._conversations, False),
            ("GET", f"{own}/messages", self._messages, False),
            ("GET", f"{own}/subscribed_apps", self._subscribed, False),
            ("POST", f"{own}/subscribed_apps", self._subscribe, False),
            ("GET", "/me/accounts", self._accounts, False),
            ("GET", own, self._node, False),
        ]
        ordered = sorted(calls, key=lambda call: call[1].count("{"))
        # Versions begin with a letter: what has none comes second and must not be taken for one.
        return self.common() + [
            Point(method=method, path=base + path, handler=handler, sends=sends)
            for base in (VERSIONED, "")
            for method, path, handler, sends in ordered
        ]

    def _item(self, shop: Shop, happening: Happening, message: Message) -> dict[str, Any] | None:
        person = {"id": message.conversation}
        own = {"id": shop.account}
        out = message.direction == "out"
        if happening.kind == "message":
            told = self._told(message)
            if out:
                told = {"is_echo": True, "app_id": int(shop.ids["app_id"]), **told}
            sender, reader = (own, person) if out else (person, own)
            return {"sender": sender, "recipient": reader, "timestamp": message.at, "message": told}
        if happening.kind == "recall":
            deleted = {"mid": message.id, "is_deleted": True}
            return {"sender": person, "recipient": own, "timestamp": happening.at, "message": deleted}
        if happening.kind != "status":
            return None
        receipt = self._receipt(message, happening.status)
        return receipt and {"sender": person, "recipient": own, "timestamp": happening.at, **receipt}

    def _receipt(self, message: Message, status: str) -> dict[str, Any] | None:
        match status:
            case "delivered":
                return {"delivery": {"mids": [message.id], "watermark": message.at}}
            case "read":
                return {"read": {"watermark": message.at}}
            case _:
                return None

    def _told(self, message: Message) -> dict[str, Any]:
        told: dict[str, Any] = {"mid": message.id}
        if message.text:
            told["text"] = message.text
        if message.media is not None:
            told["attachments"] = [{"type": "image", "payload": {"url": self.stage.media_url(message.media)}}]
        if message.reply_to:
            told["reply_to"] = {"mid": message.reply_to}
        return told

    async def _send(self, call: Call, shop: Shop) -> Response:
        told = await _asked(call)
        person = str((told.get("recipient") or {}).get("id") or "")
        conversation = shop.conversations.get(person)
        if conversation is None:
            return fault(100, "(#100) No matching user found", 400, subcode=2018001)
        last = conversation.last("in")
        human = told.get("messaging_type") == "MESSAGE_TAG" and told.get("tag") == "HUMAN_AGENT"
        window = WINDOW_MS * (7 if human else 1)
        if last is None or self.stage.clock.now() - last.at > window:
            return fault(10, "(#10) This message is sent outside of allowed window.", 400, subcode=2018278)
        said = told.get("message") or {}
        text = str(said.get("text") or "")
        if len(text.encode() if self.unit == "bytes" else text) > self.longest:
            return fault(100, f"(#100) Length of param message[text] must be at most {self.longest}", 400)
        media = await self._media(call, shop, said)
        if not text and media is None:
            return fault(100, "(#100) Must provide either attachment or text", 400)
        message = self.stage.write(conversation, text, by="api", media=media)
        return answer({"recipient_id": person, "message_id": message.id})

    async def _media(self, call: Call, shop: Shop, said: dict[str, Any]) -> str | None:
        """The file of a message: uploaded with it, uploaded before, or at an address."""
        attachment = said.get("attachment")
        if not isinstance(attachment, dict):
            return None
        payload = attachment.get("payload") or {}
        if payload.get("attachment_id"):
            return f"{int(payload['attachment_id']):x}"
        file = (await call.files()).get("filedata")
        if file is None or isinstance(file, str):
            return self.stage.linked(shop, str(payload.get("url") or ""))
        key = self.stage.upload(file.mime or self.mime, file.content)
        self.stage.owners[key] = shop.platform, shop.account
        return key

    async def _upload(self, call: Call, shop: Shop) -> Response:
        told = await _asked(call)
        key = await self._media(call, shop, told.get("message") or {})
        if key is None:
            return fault(100, "(#100) Incorrect number of files uploaded. Must upload exactly one file.", 400)
        return answer({"attachment_id": str(int(key, 16))})

    async def _conversations(self, call: Call, shop: Shop) -> Response:
        told = call.params
        held = sorted((c for c in shop.conversations.values() if c.messages), key=_latest, reverse=True)
        if person := told.get("user_id"):
            held = [one for one in held if one.id == person]
        place, size = _place(told.get("after", "")), _size(told, 25)
        page = held[place : place + size]
        return answer({"data": [self._thread(shop, one, call) for one in page], **_paging(held, place, size)})

    async def _messages(self, call: Call, shop: Shop) -> Response:
        own = call.http.path_params["account"].removeprefix("t_")
        conversation = shop.conversations.get(own)
        if conversation is None:
            return fault(100, "Unsupported get request. Object does not exist", 400, subcode=33)
        return answer(self._listed(shop, conversation, call))

    async def _node(self, call: Call, shop: Shop) -> Response:
        """Whatever has that id: the account, a conversation or a message."""
        own = call.http.path_params["account"]
        if own in {"me", shop.account}:
            about = {"id": shop.account, "user_id": shop.account, "name": shop.name, "username": f"shop{shop.number}"}
            return answer(about)
        if (conversation := shop.conversations.get(own.removeprefix("t_"))) is not None:
            return answer(self._thread(shop, conversation, call))
        if (message := shop.find(own)) is not None:
            return answer(self._full(shop, message))
        return fault(100, "Unsupported get request. Object does not exist", 400, subcode=33)

    async def _subscribed(self, call: Call, shop: Shop) -> Response:
        del call
        fields = ["messages", "message_echoes", "message_deliveries", "message_reads"]
        on = [{"id": shop.ids["app_id"], "name": "Weir", "subscribed_fields": fields}] if shop.pushing else []
        return answer({"data": on})

    async def _subscribe(self, call: Call, shop: Shop) -> Response:
        del call
        self.stage.pusher.subscribe(shop, shop.webhook)
        return answer({"success": True})

    async def _accounts(self, call: Call, shop: Shop) -> Response:
        del call
        return answer({"data": [{"id": shop.account, "name": shop.name, "access_token": shop.token.access}]})

    def _thread(self, shop: Shop, conversation: Conversation, call: Call) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.thread(conversation),
            "updated_time": graph_time(_latest(conversation)),
            "participants": {"data": [self._person(shop, conversation.buyer), self._self(shop)]},
        }
        if "messages" in call.params.get("fields", ""):
            told["messages"] = self._listed(shop, conversation, call, inner=True)
        return told

    def _listed(self, shop: Shop, conversation: Conversation, call: Call, *, inner: bool = False) -> dict[str, Any]:
        held = conversation.messages[::-1]
        place, size = (0, 25) if inner else (_place(call.params.get("after", "")), _size(call.params, 25))
        page = held[place : place + size]
        told: dict[str, Any] = {"data": [self._full(shop, one) for one in page], **_paging(held, place, size)}
        following = told.get("paging", {}).get("cursors", {}).get("after")
        if following and len(held) > place + size:
            own = self.thread(conversation)
            base = f"{self.stage.base_url}/{self.name}/v21.0/{own}/messages"
            token, fields = shop.token.access, "id,created_time,from,to,message,attachments"
            told["paging"]["next"] = f"{base}?access_token={token}&fields={fields}&limit={size}&after={following}"
        return told

    def _full(self, shop: Shop, message: Message) -> dict[str, Any]:
        buyer = shop.conversations[message.conversation].buyer
        people = self._person(shop, buyer), self._self(shop)
        author, reader = people if message.direction == "in" else people[::-1]
        told: dict[str, Any] = {
            "id": message.id,
            "created_time": graph_time(message.at),
            "from": author,
            "to": {"data": [reader]},
            "message": message.text,
        }
        if message.media is not None:
            url = self.stage.media_url(message.media)
            picture = {"width": 64, "height": 64, "url": url, "preview_url": url}
            told["attachments"] = {"data": [{"id": message.media, "mime_type": self.mime, "image_data": picture}]}
        return told

    def _person(self, shop: Shop, buyer: Buyer) -> dict[str, str]:
        del shop
        return {"id": buyer.id, "name": buyer.name, "email": f"{buyer.id}@facebook.example"}

    def _self(self, shop: Shop) -> dict[str, str]:
        return {"id": shop.account, "name": shop.name, "email": f"{shop.account}@facebook.example"}


class Messenger(Pages):
    """Pages."""

    name = "messenger"
    about = "page"
    receipts = ("delivered", "read")
    languages = ("en", "es", "de")
    scopes = ("pages_messaging", "pages_manage_metadata", "pages_show_list")

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """`m_` and base64."""
        del conversation
        return "m_" + base64.urlsafe_b64encode(hmac_raw(shop.account, str(number).encode()) * 2).decode().rstrip("=")


class Instagram(Pages):
    """Professional accounts."""

    name = "instagram"
    about = "instagram"
    receipts = ("read",)
    longest, unit = 1_000, "bytes"
    id_name = "account_id"
    title = "Instagram account"
    languages = ("es", "en", "pt")
    scopes = ("instagram_basic", "instagram_manage_messages", "instagram_business_manage_messages")

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Base64 of what it is."""
        own = f"ig_dm_item:1:IGMessageID:{shop.account}:{conversation.id}:{number}"
        return base64.urlsafe_b64encode(own.encode()).decode().rstrip("=")

    def _receipt(self, message: Message, status: str) -> dict[str, Any] | None:
        return {"read": {"mid": message.id}} if status == "read" else None

    def _person(self, shop: Shop, buyer: Buyer) -> dict[str, str]:
        del shop
        return {"id": buyer.id, "username": buyer.name.lower().replace(" ", ".")}

    def _self(self, shop: Shop) -> dict[str, str]:
        return {"id": shop.account, "username": f"shop{shop.number}"}


async def _asked(call: Call) -> dict[str, Any]:
    """The request's fields, of a JSON body or of a form whose fields are JSON."""
    if told := call.json():
        return told
    fields: dict[str, Any] = call.params | call.form()
    fields |= {name: value for name, value in (await call.files()).items() if isinstance(value, str)}
    for name in ("recipient", "message"):
        if isinstance(fields.get(name), str):
            try:
                fields[name] = json.loads(fields[name])
            except ValueError:
                fields[name] = {}
    return fields


def _latest(conversation: Conversation) -> int:
    return conversation.messages[-1].at


def _paging(held: Sequence[object], place: int, size: int) -> dict[str, Any]:
    if not held:
        return {}
    return (
        {"paging": {"cursors": {"before": _cursor(place), "after": _cursor(place + size)}}}
        if (len(held) > place + size)
        else {"paging": {"cursors": {"before": _cursor(place)}}}
    )


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"place:{place}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().partition(":")[2] or 0)
    except ValueError:
        return 0


def _size(told: dict[str, str], usual: int) -> int:
    found = told.get("limit", "")
    return min(int(found), 100) if found.isdigit() and int(found) else usual
