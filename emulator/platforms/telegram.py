"""Telegram Bot API: updates to the webhook or asked for, sendMessage and its like, files, the webhook's own calls.

After the page "Telegram Bot API". It has no history and tells nothing of delivery.
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
    first_token,
    secret_of,
)
from emulator.pushes import Happening
from emulator.world import Buyer, Conversation, Message, Shop

LONGEST, LONGEST_CAPTION = 4_096, 1_024
EPOCH_S = 1_700_000_000
LEAST_GROUP, MOST_GROUP = 2, 10
MOST_UPDATES = 100
FIRST_UPDATE = 10**8


class Telegram(Platform):
    """One bot each."""

    name = "telegram"
    rate = Rate(requests=30)
    languages = ("en", "es", "de")

    def open(self, number: int, rng: Random) -> Shop:
        """A bot with an id of ten digits."""
        own = digits(rng, 10)
        ids = {
            "bot_id": own,
            "username": f"weir_shop_{number}_bot",
            "secret_token": secret_of(f"telegram secret {own}", 32),
        }
        token = first_token(f"telegram {own}")
        token.access = f"{own}:{secret_of(f'telegram token {own}', 35)}"
        return self.shop_of(number, own, "Telegram bot", ids, token=token)

    def settings(self, shop: Shop) -> dict[str, str]:
        """The token of BotFather, and the secret given with setWebhook."""
        return {"bot_token": shop.token.access, "secret_token": shop.ids["secret_token"]}

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """A person with a number of nine digits, which is the private chat's too."""
        person = super().buyer(shop, number, rng)
        return Buyer(id=digits(rng, 9), name=person.name, language=person.language)

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """Small numbers that grow in a bot."""
        del conversation
        floor = max(0, number // 10**6 - EPOCH_S)
        if "last_message" not in shop.ids:
            shop.ids["last_message"] = str(max((int(one.id) for one in shop.messages()), default=0))
        own = max(int(shop.ids["last_message"]) + 1, floor)
        shop.ids["last_message"] = str(own)
        return str(own)

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """An update with a message."""
        del attempt
        if happening.kind != "message" or happening.message is None:
            return None
        return compact(self._update(shop, happening.message))

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The secret of setWebhook."""
        del happening, url, body
        return {"X-Telegram-Bot-Api-Secret-Token": shop.ids["secret_token"]}

    def points(self) -> list[Point]:
        """Methods answer to GET and POST."""
        methods = {
            "getMe": (self._me, False),
            "getWebhookInfo": (self._info, False),
            "setWebhook": (self._set, False),
            "deleteWebhook": (self._delete, False),
            "sendMessage": (self._send, True),
            "sendPhoto": (self._photo, True),
            "sendDocument": (self._photo, True),
            "sendVideo": (self._photo, True),
            "sendMediaGroup": (self._album, True),
            "getUpdates": (self._updates, False),
            "getFile": (self._file, False),
        }
        return [
            *(
                Point(method=verb, path=f"/bot{{token}}/{method}", handler=handler, sends=sends)
                for verb in ("POST", "GET")
                for method, (handler, sends) in methods.items()
            ),
            Point(method="GET", path="/file/bot{token}/{folder}/{key}", handler=self._content),
        ]

    def caller(self, call: Call) -> Shop:
        """The token stands in the path."""
        token = call.http.path_params["token"]
        shop = self.by_token(token)
        if shop is None:
            raise Refusal(self.denied())
        return self.valid(shop, token)

    def denied(self) -> Response:
        """401."""
        return _error(401, "Unauthorized")

    def limited(self) -> Response:
        """429, with how long to wait."""
        told = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 3"}
        return answer(told | {"parameters": {"retry_after": 3}}, 429)

    def broken(self) -> Response:
        """502."""
        return _error(502, "Bad Gateway")

    async def _me(self, call: Call, shop: Shop) -> Response:
        del call
        return _answer(self._bot(shop) | {"can_join_groups": False, "can_read_all_group_messages": False})

    async def _info(self, call: Call, shop: Shop) -> Response:
        del call
        lane = self.stage.pusher.lane(shop)
        failed = next((one for one in lane.waiting if one.attempts), None)
        told: dict[str, Any] = {
            "url": shop.webhook or "",
            "has_custom_certificate": False,
            "pending_update_count": len(lane.waiting),
            "max_connections": 40,
        }
        if allowed := shop.ids.get("allowed_updates"):
            told["allowed_updates"] = allowed.split(",")
        if failed is not None:
            last = failed.attempts[-1]
            reason = last.error or f"Wrong response from the webhook: {last.status}"
            told |= {"last_error_date": last.at // 1000, "last_error_message": reason}
        return _answer(told)

    async def _set(self, call: Call, shop: Shop) -> Response:
        told = await _fields(call)
        shop.ids["secret_token"] = str(told.get("secret_token") or "")
        wanted = told.get("allowed_updates") or []
        names = json.loads(wanted) if isinstance(wanted, str) else wanted
        shop.ids["allowed_updates"] = ",".join(map(str, names))
        self.stage.pusher.subscribe(shop, str(told.get("url") or "") or None)
        return _answer(result=True)

    async def _delete(self, call: Call, shop: Shop) -> Response:
        del call
        self.stage.pusher.subscribe(shop, None)
        return _answer(result=True)

    async def _send(self, call: Call, shop: Shop) -> Response:
        told = await _fields(call)
        text = str(told.get("text") or "")
        if not text:
            return _error(400, "Bad Request: message text is empty")
        if len(text) > LONGEST:
            return _error(400, "Bad Request: message is too long")
        return self._sent(shop, told, text, None)

    async def _photo(self, call: Call, shop: Shop) -> Response:
        told = await _fields(call)
        parts = await call.files()
        file = next((one for one in parts.values() if not isinstance(one, str)), None)
        caption = str(told.get("caption") or "")
        if file is None or isinstance(file, str):
            return _error(400, "Bad Request: there is no photo in the request")
        if len(caption) > LONGEST_CAPTION:
            return _error(400, "Bad Request: message caption is too long")
        key = self.stage.upload(file.mime or self.mime, file.content)
        return self._sent(shop, told, caption, key)

    async def _album(self, call: Call, shop: Shop) -> Response:
        """Several files as messages of one group; the caption stands below the first."""
        told, parts = await _fields(call), await call.files()
        wanted = json.loads(str(told.get("media") or "[]"))
        if not LEAST_GROUP <= len(wanted) <= MOST_GROUP:
            return _error(400, "Bad Request: there must be 2-10 media in the album")
        kinds = {str(one.get("type")) for one in wanted}
        if len(kinds) > 1 and not kinds <= {"photo", "video"}:
            return _error(400, "Bad Request: media of these types can't be mixed in an album")
        files = [parts.get(str(one.get("media")).removeprefix("attach://")) for one in wanted]
        if any(file is None or isinstance(file, str) for file in files):
            return _error(400, "Bad Request: wrong file identifier/HTTP URL specified")
        sent: list[dict[str, Any]] = []
        for one, file in zip(wanted, files, strict=True):
            if file is None or isinstance(file, str):
                continue
            key = self.stage.upload(file.mime or self.mime, file.content)
            message = self._written(shop, told, str(one.get("caption") or ""), key)
            if message is None:
                return _error(400, "Bad Request: chat not found")
            sent.append(self._message(shop, message))
        group = str(sent[0]["message_id"])
        return _answer([one | {"media_group_id": group} for one in sent])

    async def _updates(self, call: Call, shop: Shop) -> Response:
        """What customers wrote since the offset, at once; everything before it is confirmed and never told again."""
        told = await _fields(call)
        if shop.webhook is not None:
            return _error(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook")
        confirmed = max(int(told.get("offset") or 0), int(shop.ids.get("next_update") or 0))
        shop.ids["next_update"] = str(confirmed)
        written = sorted((one for one in shop.messages() if one.direction == "in"), key=lambda one: int(one.id))
        updates = [self._update(shop, one) for one in written if FIRST_UPDATE + int(one.id) >= confirmed]
        return _answer(updates[: min(int(told.get("limit") or MOST_UPDATES), MOST_UPDATES)])

    def _update(self, shop: Shop, message: Message) -> dict[str, Any]:
        """One update for each message, whatever the attempt."""
        return {"update_id": FIRST_UPDATE + int(message.id), "message": self._message(shop, message)}

    def _sent(self, shop: Shop, told: dict[str, Any], text: str, media: str | None) -> Response:
        message = self._written(shop, told, text, media)
        return _error(400, "Bad Request: chat not found") if message is None else _answer(self._message(shop, message))

    def _written(self, shop: Shop, told: dict[str, Any], text: str, media: str | None) -> Message | None:
        """The message that is sent; None when there is no such chat."""
        conversation = shop.conversations.get(str(told.get("chat_id") or ""))
        if conversation is None or not conversation.messages:
            return None
        parameters = told.get("reply_parameters") or {}
        if isinstance(parameters, str):
            parameters = json.loads(parameters)
        reply_to = parameters.get("message_id") or told.get("reply_to_message_id")
        answered = str(reply_to) if reply_to else None
        return self.stage.write(conversation, text, by="api", media=media, reply_to=answered)

    async def _file(self, call: Call, shop: Shop) -> Response:
        key = str((await _fields(call)).get("file_id") or "").removeprefix("AgAC")
        found = self.stage.world.media.get(key)
        if found is None or self.stage.owners.get(key) != (shop.platform, shop.account):
            return _error(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        path = f"photos/{key}.{found.mime.rpartition('/')[2]}"
        own = {"file_id": f"AgAC{key}", "file_unique_id": f"AQAD{key}", "file_size": len(found.content)}
        return _answer(own | {"file_path": path})

    async def _content(self, call: Call, shop: Shop) -> Response:
        key = call.http.path_params["key"].partition(".")[0]
        return self.stage.file(key, (shop.platform, shop.account))

    def _bot(self, shop: Shop) -> dict[str, Any]:
        own = {"id": int(shop.account), "is_bot": True, "first_name": shop.name}
        return own | {"username": shop.ids["username"]}

    def _message(self, shop: Shop, message: Message) -> dict[str, Any]:
        buyer = shop.conversations[message.conversation].buyer
        first, _, last = buyer.name.partition(" ")
        person = {"id": int(buyer.id), "first_name": first} | ({"last_name": last} if last else {})
        author = self._bot(shop) if message.direction == "out" else {"is_bot": False, **person}
        told: dict[str, Any] = {
            "message_id": int(message.id),
            "from": author | ({} if message.direction == "out" else {"language_code": buyer.language}),
            "chat": {**person, "type": "private"},
            "date": message.at // 1000,
        }
        if message.reply_to:
            chat = told["chat"]
            told["reply_to_message"] = {"message_id": int(message.reply_to), "chat": chat, "date": message.at // 1000}
        if message.media is None:
            return told | {"text": message.text}
        size = len(self.stage.world.media[message.media].content)
        photo = {"file_id": f"AgAC{message.media}", "file_unique_id": f"AQAD{message.media}", "width": 64, "height": 64}
        caption = {"caption": message.text} if message.text else {}
        return told | {"photo": [photo | {"file_size": size}]} | caption


async def _fields(call: Call) -> dict[str, Any]:
    """The parameters, wherever they stand."""
    parts = {name: value for name, value in (await call.files()).items() if isinstance(value, str)}
    return {**call.params, **call.form(), **parts, **call.json()}


def _answer(result: object) -> Response:
    return answer({"ok": True, "result": result})


def _error(code: int, description: str) -> Response:
    return answer({"ok": False, "error_code": code, "description": description}, code)
