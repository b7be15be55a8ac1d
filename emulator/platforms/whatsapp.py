"""WhatsApp Business Platform, Cloud API: webhooks, messages, media.

After "Webhooks", "Messages", "Message templates", "Media" and "Error codes" of its pages. It has no history: what a
webhook lost stays lost.
"""

from __future__ import annotations

import base64
import hashlib
from random import Random
from typing import Any

from starlette.responses import Response

from emulator.platforms.contract import Call, Point, Rate, answer, digits
from emulator.platforms.graph import VERSIONED, WINDOW_MS, Graph, fault
from emulator.platforms.whatsapp_templates import TEMPLATES, filled, head
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop

LONGEST = 4_096
ADDRESS_MS = 5 * 60_000
REENGAGE = {
    "code": 131047,
    "title": "Re-engagement message",
    "message": "Re-engagement message",
    "error_data": {
        "details": "Message failed to send because more than 24 hours have passed since the customer last replied."
    },
}


class WhatsApp(Graph):
    """One phone number for each account."""

    name = "whatsapp"
    about = "whatsapp_business_account"
    receipts = ("sent", "delivered", "read")
    echoes = frozenset({"app"})
    rate = Rate(requests=80)
    languages = ("pt", "es", "en")
    scopes = ("whatsapp_business_messaging", "whatsapp_business_management")

    def open(self, number: int, rng: Random) -> Shop:
        """A phone number with an id of fifteen digits."""
        own = digits(rng, 15)
        phone = "1555" + digits(rng, 7)
        ids = self.app(number, rng) | {"phone_number_id": own, "waba_id": digits(rng, 15), "phone": phone}
        return self.shop(number, own, ids, "WhatsApp number")

    def settings(self, shop: Shop) -> dict[str, str]:
        """What the App Dashboard gives."""
        names = ("app_id", "app_secret", "verify_token", "phone_number_id")
        token = {"access_token": shop.token.access, "business_account_id": shop.ids["waba_id"]}
        return {name: shop.ids[name] for name in names} | token

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """A phone number."""
        person = super().buyer(shop, number, rng)
        return Buyer(id="55" + digits(rng, 10), name=person.name, language=person.language)

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """A wamid: base64 of the number and a digest."""
        del shop
        phone = conversation.buyer.id.encode()
        own = hashlib.sha256(f"{conversation.id} {number}".encode()).hexdigest()[:32].upper().encode()
        made = b"\x1d" + bytes([24, len(phone)]) + phone + b"\x15\x02\x00\x12\x18\x20" + own + b"\x00"
        return "wamid." + base64.b64encode(made).decode()

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """`messages` with a message or a status, or an echo of the phone's own app."""
        del attempt
        message = happening.message
        if message is None:
            return None
        name = "messages"
        value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": self._metadata(shop)}
        if happening.kind == "status":
            value["statuses"] = [self._status(message, happening)]
        elif message.direction == "in":
            buyer = shop.conversations[message.conversation].buyer
            value["contacts"] = [{"profile": {"name": buyer.name}, "wa_id": buyer.id}]
            value["messages"] = [self._message(shop, message, happening)]
        else:
            name = "smb_message_echoes"
            value["message_echoes"] = [self._message(shop, message, happening)]
        return self.wrapped({"id": shop.ids["waba_id"], "changes": [{"value": value, "field": name}]})

    def points(self) -> list[Point]:
        """Calls with a version and without one."""
        calls = [
            ("POST", "/{node}/messages", self._send, True),
            ("POST", "/{node}/media", self._upload, False),
            ("GET", "/{node}/subscribed_apps", self._subscribed, False),
            ("POST", "/{node}/subscribed_apps", self._subscribed, False),
            ("GET", "/{node}/phone_numbers", self._numbers, False),
            ("GET", "/{node}/message_templates", self._templates, False),
            ("GET", "/{node}", self._node, False),
        ]
        file = Point(method="GET", path="/whatsapp_business/attachments/{key}", handler=self._file)
        return [
            file,
            *self.common(),
            *(
                Point(method=method, path=base + path, handler=handler, sends=sends)
                for base in (VERSIONED, "")
                for method, path, handler, sends in calls
            ),
        ]

    def limited(self) -> Response:
        """Code 130429."""
        return fault(130429, "(#130429) Rate limit hit", 429)

    def broken(self) -> Response:
        """Code 131000."""
        return fault(131000, "(#131000) Something went wrong", 500)

    async def _send(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        if told.get("status") == "read":
            return answer({"success": True})
        person, kind = str(told.get("to") or "").lstrip("+"), str(told.get("type") or "text")
        said = told.get(kind) if isinstance(told.get(kind), dict) else {}
        if not person or not said:
            return fault(100, "(#100) Invalid parameter", 400)
        text = filled(said) if kind == "template" else str(said.get("body") or said.get("caption") or "")
        conversation = shop.conversations.get(person)
        open_ = kind == "template" and "{{" in (text or "")
        if text is None or conversation is None or open_ or len(text) > LONGEST:
            return _objection(text, open_=open_)
        own = str(said.get("id") or "")
        if kind == "template":
            wanted, given = head(said)
            if wanted is not None and self._media(shop, given) is None:
                return fault(132012, f"(#132012) header: Format mismatch, expected {wanted.upper()}", 400)
            own = given or ""
        media = self._media(shop, own)
        context = told.get("context") or {}
        message = self.stage.write(
            conversation,
            text,
            by="api",
            media=media,
            reply_to=context.get("message_id"),
            client=told.get("biz_opaque_callback_data"),
        )
        last = conversation.last("in")
        if kind != "template" and (last is None or message.at - last.at > WINDOW_MS):
            self.stage.fail(message)
        contacts = [{"input": person, "wa_id": person}]
        return answer({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": message.id}]})

    def _media(self, shop: Shop, own: str | None) -> str | None:
        """The key of an uploaded file by its id; None when the shop has none of it."""
        key = f"{int(own):x}" if own and own.isdigit() else ""
        return key if self.stage.owners.get(key) == (shop.platform, shop.account) else None

    async def _upload(self, call: Call, shop: Shop) -> Response:
        parts = await call.files()
        file = parts.get("file")
        if file is None or isinstance(file, str) or parts.get("messaging_product") != "whatsapp":
            return fault(100, "(#100) The parameter file is required.", 400)
        kind = parts.get("type")
        key = self.stage.upload(kind if isinstance(kind, str) else file.mime or self.mime, file.content)
        self.stage.owners[key] = shop.platform, shop.account
        return answer({"id": str(int(key, 16))})

    async def _subscribed(self, call: Call, shop: Shop) -> Response:
        if call.http.method == "POST":
            self.stage.pusher.subscribe(shop, shop.webhook)
            return answer({"success": True})
        on = [{"whatsapp_business_api_data": {"id": shop.ids["app_id"], "name": "Weir"}}] if shop.pushing else []
        return answer({"data": on})

    async def _numbers(self, call: Call, shop: Shop) -> Response:
        del call
        return answer({"data": [self._number(shop)]})

    async def _templates(self, call: Call, shop: Shop) -> Response:
        """A page of them; the cursor is the number of the next one."""
        if call.http.path_params["node"] != shop.ids["waba_id"]:
            return fault(100, "Unsupported get request. Object does not exist", 400, subcode=33)
        wanted = [one for one in TEMPLATES if call.params.get("status") in {None, one["status"]}]
        start, most = int(call.params.get("after") or 0), int(call.params.get("limit") or 25)
        page, end = wanted[start : start + most], start + most
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(wanted):
            paging["next"] = f"{self.stage.base_url}/{self.name}/{shop.ids['waba_id']}/message_templates?after={end}"
        return answer({"data": page} | ({"paging": paging} if page else {}))

    async def _node(self, call: Call, shop: Shop) -> Response:
        own = call.http.path_params["node"]
        if own == shop.account:
            return answer(self._number(shop))
        if own == shop.ids["waba_id"]:
            return answer({"id": own, "name": shop.name})
        key = f"{int(own):x}" if own.isdigit() else ""
        found = self.stage.world.media.get(key)
        if found is None or self.stage.owners.get(key) != (shop.platform, shop.account):
            return fault(100, "Unsupported get request. Object does not exist", 400, subcode=33)
        until = (self.stage.clock.now() + ADDRESS_MS) // 1000
        return answer(
            {
                "messaging_product": "whatsapp",
                "url": f"{self.stage.base_url}/{self.name}/whatsapp_business/attachments/{key}?ext={until}",
                "mime_type": found.mime,
                "sha256": hashlib.sha256(found.content).hexdigest(),
                "file_size": len(found.content),
                "id": own,
            }
        )

    async def _file(self, call: Call, shop: Shop) -> Response:
        """Only with the token, and for five minutes."""
        until = call.params.get("ext", "")
        if not until.isdigit() or int(until) * 1000 < self.stage.clock.now():
            return Response("URL signature expired", 403, media_type="text/plain")
        return self.stage.file(call.http.path_params["key"], (shop.platform, shop.account))

    def _number(self, shop: Shop) -> dict[str, Any]:
        return {
            "verified_name": shop.name,
            "code_verification_status": "VERIFIED",
            "display_phone_number": shop.ids["phone"],
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "status": "CONNECTED",
            "webhook_configuration": {"application": shop.webhook or ""},
            "id": shop.account,
        }

    def _metadata(self, shop: Shop) -> dict[str, str]:
        return {"display_phone_number": shop.ids["phone"], "phone_number_id": shop.account}

    def _message(self, shop: Shop, message: Message, happening: Happening) -> dict[str, Any]:
        out = message.direction == "out"
        whom = {"from": shop.ids["phone"], "to": message.conversation} if out else {"from": message.conversation}
        told: dict[str, Any] = {**whom, "id": message.id, "timestamp": str(message.at // 1000)}
        if happening.kind == "recall":
            own = f"wamid.{base64.b64encode(str(happening.id).encode()).decode()}"
            return told | {"id": own, "type": "revoke", "revoke": {"original_message_id": message.id}}
        if message.reply_to:
            told["context"] = {"from": shop.ids["phone"], "id": message.reply_to}
        if message.media is None:
            return told | {"type": "text", "text": {"body": message.text}}
        found = self.stage.world.media[message.media]
        digest = base64.b64encode(hashlib.sha256(found.content).digest()).decode()
        image = {"id": str(int(message.media, 16)), "mime_type": found.mime, "sha256": digest}
        return told | {"type": "image", "image": image | ({"caption": message.text} if message.text else {})}

    def _status(self, message: Message, happening: Happening) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": message.id,
            "status": happening.status,
            "timestamp": str(happening.at // 1000),
            "recipient_id": message.conversation,
        }
        if message.client:
            told["biz_opaque_callback_data"] = message.client
        return told | ({"errors": [REENGAGE]} if happening.status == "failed" else {})


def _objection(text: str | None, *, open_: bool) -> Response:
    """What speaks against sending this; `open_`: something of a template is not filled in."""
    if text is None:
        return fault(132001, "(#132001) Template name does not exist in the translation", 404)
    if open_:
        return fault(132000, "(#132000) Number of parameters does not match the expected number of params", 400)
    if len(text) > LONGEST:
        return fault(100, "(#100) Param text['body'] must be at most 4096 characters long.", 400)
    return fault(131026, "(#131026) Message undeliverable", 400)
