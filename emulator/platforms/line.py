"""LINE Messaging API: webhooks with redelivery, reply and push messages, content.

After "Receive messages (webhook)", "Messaging API reference" and "Retry failed API requests" of its pages. Pictures of
a shop are given by address.
"""

from __future__ import annotations

import base64
import hashlib
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
    answer,
    compact,
    hmac_raw,
    secret_of,
)
from emulator.pushes import Happening, Request
from emulator.world import Buyer, Conversation, Message, Shop

LONGEST, MOST_MESSAGES = 5_000, 5
REPLY_MS = 60_000
PICTURED = ("originalContentUrl", "previewImageUrl")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Line(Platform):
    """One official account each."""

    name = "line"
    rate = Rate(requests=200)
    languages = ("ja", "th", "zh")

    def open(self, number: int, rng: Random) -> Shop:
        """An account whose bot has a user id of `U` and 32 digits."""
        own = "U" + f"{rng.getrandbits(128):032x}"
        ids = {
            "channel_id": str(rng.randrange(10**9, 10**10)),
            "channel_secret": secret_of(f"line {own}", 32),
            "bot_user_id": own,
        }
        return self.shop_of(number, own, "LINE account", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """What the Developers Console gives."""
        told = {name: shop.ids[name] for name in ("channel_id", "channel_secret", "bot_user_id")}
        return told | {"access_token": shop.token.access}

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """A friend."""
        person = super().buyer(shop, number, rng)
        return Buyer(id="U" + f"{rng.getrandbits(128):032x}", name=person.name, language=person.language)

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Eighteen digits."""
        del conversation
        return str(number * 100 + shop.number % 100)

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """A message or what was unsent; further attempts say so."""
        message = happening.message
        if message is None or message.direction == "out":
            return None
        event: dict[str, Any] = {
            "type": "message" if happening.kind == "message" else "unsend",
            "webhookEventId": _ulid(happening.id, happening.at),
            "deliveryContext": {"isRedelivery": attempt > 1},
            "timestamp": message.at if happening.kind == "message" else happening.at,
            "mode": "active",
            "source": {"type": "user", "userId": message.conversation},
        }
        if happening.kind == "recall":
            event["unsend"] = {"messageId": message.id}
        elif happening.kind == "message":
            event |= {"replyToken": _reply_token(message), "message": self._message(message)}
        else:
            return None
        return compact({"destination": shop.account, "events": [event]})

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The body, with the channel's secret."""
        del happening, url
        signature = base64.b64encode(hmac_raw(shop.ids["channel_secret"], body)).decode()
        return {"X-Line-Signature": signature, "User-Agent": "LineBotWebhook/2.0"}

    def greeting(self, shop: Shop, url: str) -> Greeting:
        """The console's verification: no events."""
        body = compact({"destination": shop.account, "events": []})
        signature = base64.b64encode(hmac_raw(shop.ids["channel_secret"], body)).decode()
        return Greeting(
            url=url,
            request=Request(body=body, headers={"Content-Type": JSON, "X-Line-Signature": signature}),
            proves=lambda status, _: status == 200,  # noqa: PLR2004 # as documented
        )

    def points(self) -> list[Point]:
        """Both hosts' calls stand below one address here."""
        return [
            Point(method="POST", path="/v2/bot/message/push", handler=self._push, sends=True),
            Point(method="POST", path="/v2/bot/message/reply", handler=self._reply, sends=True),
            Point(method="GET", path="/v2/bot/message/{message}/content", handler=self._content),
            Point(method="GET", path="/v2/bot/message/{message}/content/transcoding", handler=self._transcoded),
            Point(method="GET", path="/v2/bot/message/quota", handler=self._quota),
            Point(method="GET", path="/v2/bot/info", handler=self._info),
            Point(method="GET", path="/v2/bot/profile/{user}", handler=self._profile),
            Point(method="GET", path="/v2/bot/channel/webhook/endpoint", handler=self._endpoint),
            Point(method="POST", path="/v2/bot/chat/markAsRead", handler=self._read),
            Point(method="POST", path="/v2/oauth/accessToken", opened=self._token),
            Point(method="POST", path="/oauth2/v2.1/token", opened=self._token),
            Point(method="POST", path="/v2/oauth/verify", opened=self._verify),
        ]

    def caller(self, call: Call) -> Shop:
        """A bearer token."""
        return self.valid(self.by_token(call.bearer), call.bearer)

    def denied(self) -> Response:
        """401."""
        return _error(401, "Authentication failed. Confirm that the access token in the authorization header is valid.")

    def limited(self) -> Response:
        """429."""
        return _error(429, "The API rate limit has been exceeded. Try again later.")

    def broken(self) -> Response:
        """500."""
        return _error(500, "Internal server error")

    async def _push(self, call: Call, shop: Shop) -> Response:
        """The same retry key is carried out once."""
        told, key = call.json(), call.header("x-line-retry-key")
        conversation = shop.conversations.get(str(told.get("to") or ""))
        if conversation is None:
            return _error(400, "The property, 'to', in the request body is invalid")
        done = [m for m in conversation.messages if key and (m.client or "").partition("#")[0] == key]
        if done:
            sent = {"message": "The retry key is already accepted", "sentMessages": [_sent(m) for m in done]}
            return answer(sent, 409, {"x-line-accepted-request-id": secret_of(key, 36)})
        return self._write(conversation, told, key)

    async def _reply(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        token = str(told.get("replyToken") or "")
        found = next((m for m in shop.messages() if m.direction == "in" and _reply_token(m) == token), None)
        used = token in shop.codes
        if found is None or used or self.stage.clock.now() - found.at > REPLY_MS:
            return _error(400, "Invalid reply token")
        response = self._write(shop.conversations[found.conversation], told, "")
        if response.status_code == 200:  # noqa: PLR2004 # done
            shop.codes.add(token)
        return response

    def _write(self, conversation: Conversation, told: dict[str, Any], key: str) -> Response:
        messages = told.get("messages")
        if not isinstance(messages, list) or not 0 < len(messages) <= MOST_MESSAGES:
            return _error(400, "Size must be between 1 and 5")
        for one in messages:
            if one.get("type") == "text" and not 0 < len(one.get("text") or "") <= LONGEST:
                return _error(400, f"Length must be between 0 and {LONGEST}")
            if lacking := _lacking(one):
                return _error(400, f"The property, '{lacking}', in the request body is invalid")
        sent = []
        for index, one in enumerate(messages):
            link = str(one.get("originalContentUrl") or "")
            media = self.stage.linked(self.stage.world.shops[conversation.shop], link)
            client = f"{key}#{index}" if key else None
            sent.append(self.stage.write(conversation, one.get("text") or "", by="api", media=media, client=client))
        return answer({"sentMessages": [_sent(message) for message in sent]})

    async def _content(self, call: Call, shop: Shop) -> Response:
        message = shop.find(call.http.path_params["message"])
        if message is None or message.media is None or message.status == "recalled":
            return _error(404, "Not found")
        return self.stage.file(message.media, (shop.platform, shop.account))

    async def _transcoded(self, call: Call, shop: Shop) -> Response:
        del call, shop
        return answer({"status": "succeeded"})

    async def _quota(self, call: Call, shop: Shop) -> Response:
        del call, shop
        return answer({"type": "limited", "value": 30_000})

    async def _info(self, call: Call, shop: Shop) -> Response:
        del call
        own = {"userId": shop.account, "basicId": f"@{shop.number:03}weir", "displayName": shop.name}
        return answer(own | {"chatMode": "bot", "markAsReadMode": "manual"})

    async def _profile(self, call: Call, shop: Shop) -> Response:
        person = next((one for one in shop.buyers if one.id == call.http.path_params["user"]), None)
        if person is None:
            return _error(404, "Not found")
        return answer({"userId": person.id, "displayName": person.name, "language": person.language})

    async def _endpoint(self, call: Call, shop: Shop) -> Response:
        del call
        if shop.webhook is None:
            return _error(404, "Webhook endpoint not found")
        return answer({"endpoint": shop.webhook, "active": shop.pushing})

    async def _read(self, call: Call, shop: Shop) -> Response:
        del call, shop
        return answer({})

    async def _token(self, call: Call) -> Response:
        told = call.form()
        shop = self.by_id("channel_id", told.get("client_id", ""))
        if shop is None or told.get("client_secret") != shop.ids["channel_secret"]:
            return answer({"error": "invalid_client", "error_description": "invalid client_id or secret"}, 400)
        life = 30 * 24 * 3_600
        token = self.granted(shop, life)
        return answer({"access_token": token.access, "expires_in": life, "token_type": "Bearer"})

    async def _verify(self, call: Call) -> Response:
        shop = self.by_token(call.form().get("access_token", ""))
        if shop is None:
            return answer({"error": "invalid_request", "error_description": "access token expired"}, 400)
        return answer({"client_id": shop.ids["channel_id"], "expires_in": 30 * 24 * 3_600, "scope": "P CM"})

    def _message(self, message: Message) -> dict[str, Any]:
        told: dict[str, Any] = {"id": message.id, "markAsReadToken": secret_of(f"read {message.id}", 30)}
        if message.reply_to:
            told["quotedMessageId"] = message.reply_to
        if message.media is not None:
            return told | {"type": "image", "contentProvider": {"type": "line"}}
        return told | {"type": "text", "text": message.text, "quoteToken": secret_of(f"quote {message.id}", 30)}


def _lacking(told: dict[str, Any]) -> str:
    """Which property of a file's message is missing or none; nothing of one that is well."""
    kind, duration = told.get("type"), told.get("duration")
    wanted = {"image": PICTURED, "video": PICTURED, "audio": PICTURED[:1]}.get(str(kind), ())
    for name in wanted:
        if not str(told.get(name) or "").startswith("https://"):
            return name
    well = kind != "audio" or (type(duration) is int and duration > 0)
    return "" if well else "duration"


def _sent(message: Message) -> dict[str, str]:
    return {"id": message.id, "quoteToken": secret_of(f"quote {message.id}", 30)}


def _reply_token(message: Message) -> str:
    return hashlib.sha256(f"reply {message.shop} {message.id}".encode()).hexdigest()[:32]


def _ulid(number: int, at: int) -> str:
    """A ULID: time (ms) and eighty further bits."""
    random = int.from_bytes(hashlib.sha256(str(number).encode()).digest()[:10], "big")
    value, made = at << 80 | random, ""
    for _ in range(26):
        value, digit = divmod(value, 32)
        made = _CROCKFORD[digit] + made
    return made


def _error(status: int, message: str) -> Response:
    return answer({"message": message}, status)
