"""Telegram: what a bot sends, the files it was sent, how it stands.

After the "Telegram Bot API" (sendMessage, sendPhoto, sendDocument, sendMediaGroup, getFile, getUpdates, getWebhookInfo,
Making requests). Bots may
write only to people who wrote to them first, for as long as these do not block them. There is no history to be asked
for, and no way to send a message only once: one that may have gone out is not repeated. The token stands in every
address, so no address may get into a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from actors.events import Attachment
from connectors.contract import reading
from connectors.contract.asking import API_URL, address, readable, says_yes, told
from connectors.contract.calling import (
    Api,
    ApiRequest,
    ApiResponse,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    checked,
    needed,
    retry_after,
    without,
)
from connectors.contract.connector import Binding, Capabilities, Drawn, Setting
from connectors.contract.history import Pace, Probe
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.telegram.files import MOST_FILES, album, fields_of, method_of
from connectors.telegram.inbound import REACTION, UPDATES, TelegramWebhooks

HOST = "https://api.telegram.org"
_MIB = 2**20
_CAPTION = 1_024
_UPLOAD_S = 60.0
_LONGEST_WAIT_S = 3_600.0
_MOST_DIGITS = 18
_ALWAYS = frozenset({"message", "edited_message"})
"""What every bot is to be told of; the rest comes only to those of a business account."""
DRAWN = 100
DRAWN_S = 20
"""How long Telegram waits for an update to come."""


class Telegram(TelegramWebhooks):
    """One bot."""

    settings = (
        Setting(
            name="secret_token",
            about="a token of your own choice (1 to 256 of A-Z a-z 0-9 _ -), given to Telegram as secret_token with "
            "setWebhook; it proves that a request comes from Telegram; with `long_poll` nobody asks for it",
        ),
        Setting(
            name="bot_token",
            about="the token that BotFather gave for the bot; without it the channel only receives",
            required=False,
        ),
        Setting(
            name="long_poll",
            about="yes when Weir is to ask for updates (getUpdates) in place of a webhook, such as where it has no "
            "public address; call deleteWebhook first",
            secret=False,
            required=False,
        ),
        Setting(
            name="reactions",
            about="yes to show what people react with to messages; without `long_poll` name message_reaction in the "
            "allowed_updates of setWebhook, for Telegram tells of it only then; unconfirmed in which chats it does",
            secret=False,
            required=False,
        ),
        API_URL,
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), edits=True, deletes=True, echoes=True, sends=True)
    limits = Limits(text=4_096, files=MOST_FILES, file_bytes=50 * _MIB)
    pace = Pace(requests=30, per_s=1.0)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self._asks = says_yes(binding, "long_poll")
        self._updates = (*UPDATES, REACTION) if self.shows_reactions() else UPDATES

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also to a text that is too long to stand below a file."""
        return [*super().objections(message, now), *_captions(message)]

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send a text, a file with the text below it, or several as one album; the album's first message is told."""
        if len(message.files) > MOST_FILES or not (message.files or message.text.strip()):
            raise RefusedError(f"Telegram takes a text, or 1 to {MOST_FILES} files with a text below", "too_many_files")
        where = _where(message)
        if len(message.files) > 1:
            kind, body = await album({**where, **_caption(message)}, message.files)
            request = self._upload("sendMediaGroup", kind, body)
        elif message.files:
            request = await self._file(where, message, message.files[0])
        else:
            request = self._request("sendMessage", {**where, "text": message.text})
        answer = _judged(await api.call(request), self._secrets())
        with readable():
            sent = reading.part(_first(answer) if len(message.files) > 1 else answer, "result")
            number = reading.identity(sent, "message_id")
            at = reading.milliseconds(sent, "date", unit_ms=1_000)
        connection = where.get("business_connection_id")
        return Sent(message=f"{connection}:{number}" if connection else number, at=at)

    async def locate(self, attachment: Attachment, api: Api) -> ApiRequest | None:
        """Where a file lies for at least an hour; the address holds the token. Files over 20 MB are refused."""
        file = _result(await api.call(self._request("getFile", {"file_id": attachment.id})), self._secrets())
        with readable():
            path = reading.identity(file, "file_path")
        if ".." in path.split("/"):
            raise RefusedError("Telegram names a file by a path that leads elsewhere", "file_path")
        base = f"{address(self.binding, API_URL.name, HOST)}/file/bot{quote(self._token(), safe=':')}"
        return ApiRequest(method="GET", url=f"{base}/{quote(path.lstrip('/'))}")

    async def probe(self, api: Api) -> Probe:
        """Whether the token holds, and whether updates are sent to this channel's address."""
        hook = _result(await api.call(self._request("getWebhookInfo", {})), self._secrets())
        url, wrong = reading.text(hook, "url"), reading.text(hook, "last_error_message")
        if self._asks:
            told = "long_poll is set, yet a webhook is registered; call deleteWebhook, or leave long_poll out"
            return Probe(subscription="disabled", detail=told) if url else Probe(subscription="active")
        if url == self.binding.url:
            with readable():
                left_out = self._left_out(reading.items(hook, "allowed_updates"))
            trouble = f"Telegram's latest trouble with our webhook: {wrong}" if wrong else ""
            detail = "; ".join(filter(None, (left_out, trouble)))
            return Probe(subscription="active", detail=without(self._secrets(), detail))
        elsewhere = "another address is registered with setWebhook" if url else "setWebhook was not called"
        return Probe(subscription="disabled", detail=f"{elsewhere}; call it with this channel's address")

    def _left_out(self, allowed: Sequence[Any]) -> str:
        """What the webhook is not told of; Telegram leaves out reactions alone when it was not said what to tell."""
        wanted = [one for one in self._updates if one in _ALWAYS or one == REACTION]
        missing = [one for one in wanted if one not in (allowed or _ALWAYS)]
        names = ", ".join(missing)
        return f"the allowed_updates of setWebhook leave out {names}; call it again with them" if names else ""

    def queued(self) -> bool:
        """Whether updates are asked for; Telegram keeps them for a day."""
        return self._asks

    async def draw(self, api: Api) -> Drawn:
        """The earliest updates that were not confirmed."""
        asked = {"limit": DRAWN, "timeout": DRAWN_S, "allowed_updates": self._updates}
        request = replace(self._request("getUpdates", asked), timeout_s=DRAWN_S + 15.0)
        answer = _judged(await api.call(request), self._secrets())
        with readable():
            updates = reading.items(answer, "result")
            numbers = [reading.identity(reading.part({"update": one}, "update"), "update_id") for one in updates]
        return Drawn(parsed=reading.each(updates, self.update), done=tuple(numbers))

    async def confirm(self, drawn: Drawn, api: Api) -> None:
        """Asking for what comes after them confirms them; what that brings is asked for again."""
        last = max(number for one in drawn.done if (number := _number(one)) is not None)
        _judged(await api.call(self._request("getUpdates", {"offset": last + 1, "limit": 1})), self._secrets())

    async def _file(self, where: Mapping[str, Any], message: Outgoing, file: OutgoingFile) -> ApiRequest:
        method = method_of(file)
        part = FilePart(name=method.field, filename=file.name, mime=file.mime, content=await file.content())
        kind, body = multipart(fields_of({**where, **_caption(message)}), [part])
        return self._upload(method.name, kind, body)

    def _upload(self, method: str, kind: str, body: bytes) -> ApiRequest:
        headers = {"Content-Type": kind}
        return ApiRequest(method="POST", url=self._url(method), headers=headers, body=body, timeout_s=_UPLOAD_S)

    def _request(self, method: str, body: Mapping[str, Any]) -> ApiRequest:
        headers = {"Content-Type": "application/json"}
        return ApiRequest(method="POST", url=self._url(method), headers=headers, body=msgspec.json.encode(body))

    def _url(self, method: str) -> str:
        return f"{address(self.binding, API_URL.name, HOST)}/bot{quote(self._token(), safe=':')}/{method}"

    def _token(self) -> str:
        return needed(self.binding.settings, "bot_token")[0]

    def _secrets(self) -> list[str]:
        return [self.binding.settings.get(one.name, "") for one in self.settings if one.secret]


def _where(message: Outgoing) -> dict[str, Any]:
    """The chat, and within it the business account and the topic in which the customer wrote."""
    found: dict[str, Any] = {"chat_id": _chat(message.conversation)}
    connection, topic = message.extra.get("business_connection"), message.extra.get("topic")
    if isinstance(connection, str) and connection:
        found["business_connection_id"] = connection
    if isinstance(topic, str) and (thread := _number(topic)) is not None:
        found["message_thread_id"] = thread
    quoted = _number((message.reply_to or "").rpartition(":")[2])
    if quoted is not None:
        found["reply_parameters"] = {"message_id": quoted, "allow_sending_without_reply": True}
    return found


def _chat(conversation: str) -> int | str:
    found = _number(conversation)
    return conversation if found is None else found


def _number(told: str) -> int | None:
    """A whole number of at most 18 digits; None when it is none."""
    digits = told.removeprefix("-")
    return int(told) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def _caption(message: Outgoing) -> dict[str, str]:
    return {"caption": message.text} if message.text.strip() else {}


def _first(answer: Document) -> Document:
    """The answer with the first of several results."""
    return {"result": next(iter(reading.items(answer, "result")), None)}


def _result(response: ApiResponse, secrets: Sequence[str]) -> Document:
    """The `result` of an answer, which is an object; raises what an error means."""
    found = _judged(response, secrets)
    with readable():
        return reading.part(found, "result")


def _judged(response: ApiResponse, secrets: Sequence[str]) -> Document:
    """An answer that says that it is well; raises what an error means."""
    found = told(response)
    if found.get("ok") is True:
        return found
    code = reading.optional_identity(found, "error_code") or str(response.status)
    said = reading.text(found, "description") or "no reason"
    reason = without(secrets, f"Telegram answers {code}: {said}")
    parameters = reading.optional_part(found, "parameters")
    match code:
        case "401" | "404":  # of a token that never was it says that there is no such method
            raise DeniedError(reason, revoked=True)
        case "429":
            wait = reading.number(parameters, "retry_after") or retry_after(response) or 5.0
            raise BusyError(reason, min(max(wait, 1.0), _LONGEST_WAIT_S))
        case _ if "migrate_to_chat_id" in parameters:
            raise RefusedError(f"{reason}; the group goes on under another id: answer there", "migrated")
        case _ if code.isdigit() and int(code) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UncertainError(reason)
        case _ if found.get("ok") is False:
            raise RefusedError(reason, code)
        case _:
            checked(response, reason)
            raise UncertainError("Telegram's answer says nothing")


def _captions(message: Outgoing) -> Iterator[Objection]:
    over = len(message.text) - _CAPTION
    if message.files and over > 0:
        yield Objection(
            code="text_too_long",
            text=f"a text below a file has {_CAPTION} characters at most; shorten it by {over}, or send the file by"
            " itself",
            figures={"length": len(message.text), "most": _CAPTION, "over": over},
        )
