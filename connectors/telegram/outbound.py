"""Telegram: what a bot sends, the files it was sent, how it stands.

After the "Telegram Bot API" (sendMessage, sendPhoto, sendDocument, getFile, getWebhookInfo, Making requests). Bots may
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
from msgspec import Struct

from actors.events import Attachment
from connectors.contract import reading
from connectors.contract.asking import API_URL, address, readable, told
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
from connectors.contract.connector import Capabilities, Setting
from connectors.contract.history import Pace, Probe
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.telegram.inbound import TelegramWebhooks

HOST = "https://api.telegram.org"
_MIB = 2**20
_CAPTION = 1_024
_PHOTO_BYTES = 10 * _MIB
_UPLOAD_S = 60.0
_LONGEST_WAIT_S = 3_600.0
_MOST_DIGITS = 18


class _Method(Struct, frozen=True):
    """How files of some types are sent: the method, the field of the file; any other type is a document."""

    name: str
    field: str


_DOCUMENT = _Method("sendDocument", "document")
_METHODS: Mapping[str, _Method] = {
    "image/jpeg": _Method("sendPhoto", "photo"),
    "image/png": _Method("sendPhoto", "photo"),
    "image/gif": _Method("sendAnimation", "animation"),
    "video/mp4": _Method("sendVideo", "video"),
    "audio/mpeg": _Method("sendAudio", "audio"),
    "audio/mp4": _Method("sendAudio", "audio"),
}


class Telegram(TelegramWebhooks):
    """One bot."""

    settings = (
        Setting(
            name="secret_token",
            about="a token of your own choice (1 to 256 of A-Z a-z 0-9 _ -), given to Telegram as secret_token with "
            "setWebhook; it proves that a request comes from Telegram",
        ),
        Setting(
            name="bot_token",
            about="the token that BotFather gave for the bot; without it the channel only receives",
            required=False,
        ),
        API_URL,
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), edits=True, deletes=True, echoes=True, sends=True)
    limits = Limits(text=4_096, files=1, file_bytes=50 * _MIB)
    pace = Pace(requests=30, per_s=1.0)

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also to a text that is too long to stand below a file."""
        return [*super().objections(message, now), *_captions(message)]

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send a text, or a file with the text below it."""
        if len(message.files) > 1 or not (message.files or message.text.strip()):
            raise RefusedError("Telegram takes a text, or one file with a text below it", "too_many_files")
        where = _where(message)
        if message.files:
            request = await self._file(where, message, message.files[0])
        else:
            request = self._request("sendMessage", {**where, "text": message.text})
        sent = _result(await api.call(request), self._secrets())
        with readable():
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
        if url == self.binding.url:
            detail = f"Telegram's latest trouble with our webhook: {wrong}" if wrong else ""
            return Probe(subscription="active", detail=without(self._secrets(), detail))
        elsewhere = "another address is registered with setWebhook" if url else "setWebhook was not called"
        return Probe(subscription="disabled", detail=f"{elsewhere}; call it with this channel's address")

    async def _file(self, where: Mapping[str, Any], message: Outgoing, file: OutgoingFile) -> ApiRequest:
        method = _METHODS.get(file.mime.lower(), _DOCUMENT)
        if method.field == "photo" and file.size > _PHOTO_BYTES:
            method = _DOCUMENT
        caption = {"caption": message.text} if message.text.strip() else {}
        fields = [(name, _field(value)) for name, value in {**where, **caption}.items()]
        part = FilePart(name=method.field, filename=file.name, mime=file.mime, content=await file.content())
        kind, body = multipart(fields, [part])
        return ApiRequest(
            method="POST", url=self._url(method.name), headers={"Content-Type": kind}, body=body, timeout_s=_UPLOAD_S
        )

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


def _field(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _result(response: ApiResponse, secrets: Sequence[str]) -> Document:
    """The `result` of an answer; raises what an error means."""
    found = told(response)
    if found.get("ok") is True:
        with readable():
            return reading.part(found, "result")
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
