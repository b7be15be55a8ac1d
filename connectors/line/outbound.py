"""LINE: what an official account sends, the files it was sent, how it stands.

After "Messaging API reference: Send push message, Send reply message, Get content, Get bot info, Get webhook endpoint
information" and "Retrying a failed API request". A push carries a retry key made of the reply's id: LINE takes it once,
for 24 hours, however often it is sent, but counts it towards the month's quota. An answer with the customer's reply
token is free but has no such key, so on a channel that wants them (`reply_tokens`) no reply can be repeated safely:
LINE tells of no message of our own. That a reply token holds for a minute is unconfirmed, and so is how large
recordings and films may be, which go out where the channel wants that (`recordings`). LINE wants to be told how long a
recording is, and what is shown of a film until it is played: the same picture for all (`film_preview`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.events import Attachment
from connectors.contract import reading
from connectors.contract.asking import API_URL, address, answered, readable, says_yes, told
from connectors.contract.calling import (
    Api,
    ApiRequest,
    ApiResponse,
    RefusedError,
    UncertainError,
    UnreachableError,
    checked,
    needed,
    without,
)
from connectors.contract.connector import Binding, Capabilities, Setting, UnreadableError
from connectors.contract.fetched import address_of, unfetchable
from connectors.contract.history import Pace, Probe
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.contract.recordings import recording_length
from connectors.contract.rules import objections
from connectors.line.inbound import LineWebhooks

HOST = "https://api.line.me"
DATA_HOST = "https://api-data.line.me"
_TEXT = 5_000
_MESSAGES = 5
"""Of one request; a text is one of them."""
_PREVIEW_BYTES = 2**20
"""A picture is its own preview, which is not larger."""
_RECORDING_BYTES = 200 * 2**20
_RECORDING, _FILM = "audio/mp4", "video/mp4"
_FRESH_MS = 50_000
_KEYS = uuid.UUID("6c1b1c0e-5a43-5e0f-9d0c-6f1d52a6f3a8")
"""The namespace of our retry keys."""
_TOO_LARGE = "file_too_large"
_QUOTA = "monthly limit"
_TRANSCODED = frozenset({"audio", "video"})


class Line(LineWebhooks):
    """One official account."""

    settings = (
        Setting(
            name="channel_secret",
            about="the channel's secret: LINE Developers Console, the channel, Basic settings; it proves that a "
            "request comes from LINE",
        ),
        Setting(
            name="bot_user_id",
            about="the field Your user ID (it begins with U) on the same page; when it is given, what is for another "
            "account is refused",
            secret=False,
            required=False,
        ),
        Setting(
            name="access_token",
            about="a long-lived channel access token: LINE Developers Console, the channel, Messaging API; without it "
            "the channel only receives",
            required=False,
        ),
        Setting(
            name="reply_tokens",
            about="yes to answer within a minute with the customer's reply token, which costs nothing of the month's "
            "quota, but then a reply that may have gone out cannot be repeated safely (a token's life is unconfirmed)",
            secret=False,
            required=False,
        ),
        Setting(
            name="recordings",
            about="yes to send recordings (M4A), and films (MP4) where film_preview is given; how large LINE takes "
            "them is unconfirmed, 200 MB here",
            secret=False,
            required=False,
        ),
        Setting(
            name="film_preview",
            about="the https address of a picture (JPEG or PNG, 1 MB at most) that is shown of every film until it is "
            "played; films go out only with one",
            secret=False,
            required=False,
        ),
        API_URL,
    )
    capabilities = Capabilities(edits=True, deletes=True, sends=True, idempotent=True)
    limits = Limits(
        text=_TEXT,
        files=_MESSAGES - 1,
        file_bytes=_PREVIEW_BYTES,
        mimes=frozenset({"image/jpeg", "image/png"}),
    )
    pace = Pace(requests=100, per_s=1.0)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        if says_yes(binding, "reply_tokens"):
            self.capabilities = replace(self.capabilities, idempotent=False)
        self._preview = binding.settings.get("film_preview") or ""
        if self._preview and urlsplit(self._preview).scheme != "https":
            raise RejectedError("settings: film_preview is an address that begins with https://")
        if says_yes(binding, "recordings"):
            played = {_RECORDING, _FILM} if self._preview else {_RECORDING}
            self.limits = replace(self.limits, mimes=(self.limits.mimes or frozenset[str]()) | played)

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also to files that LINE could not fetch, and to a text as LINE counts it: in UTF-16 units.

        What is played may be larger than a picture, to which the limits are held that pictures are made to fit.
        """
        found = [one for one in super().objections(message, now) if one.code != _TOO_LARGE]
        return [*found, *_large(message, now), *unfetchable(message, secure=True), *_wide(message)]

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send the text and the files with one request: by reply token while it is fresh, else as a push."""
        texts = list(_texts(message))
        if not 0 < len(texts) + len(message.files) <= _MESSAGES:
            raise RefusedError(f"LINE takes one to {_MESSAGES} messages at once, a text among them", "too_many_files")
        messages = [*texts, *[await self._shown(file) for file in message.files]]
        token = message.extra.get("reply_token")
        if isinstance(token, str) and token and self._fresh(message, api.now()):
            try:
                return await self._reply(token, messages, api)
            except RefusedError as refused:
                if "reply token" not in str(refused).lower():
                    raise  # a token that is used up or too old was not taken: then it is pushed
        return await self._push(message, messages, api)

    async def locate(self, attachment: Attachment, api: Api) -> ApiRequest | None:
        """Where a file's content is; a film or a recording must have been prepared, else UnreachableError."""
        if attachment.url:
            return ApiRequest(method="GET", url=attachment.url)
        path = f"/v2/bot/message/{quote(attachment.id, safe='')}/content"
        if attachment.kind in _TRANSCODED:
            answer = await self._asked(self._request("GET", f"{path}/transcoding", data=True), api)
            match reading.text(answer, "status"):
                case "processing":
                    raise UnreachableError("LINE is still preparing the file")
                case "failed":
                    raise RefusedError("LINE could not prepare the file", "transcoding")
                case _:
                    pass
        return self._request("GET", path, data=True)

    async def probe(self, api: Api) -> Probe:
        """Whether the token holds, and whether webhooks are sent to this channel's address."""
        answer = await self._asked(self._request("GET", "/v2/bot/channel/webhook/endpoint"), api)
        if reading.text(answer, "endpoint") != self.binding.url:
            detail = "another address is registered as Webhook URL; enter this channel's address"
            return Probe(subscription="disabled", detail=detail)
        if answer.get("active") is not True:
            return Probe(subscription="disabled", detail="Use webhook is off; turn it on beside the Webhook URL")
        return Probe(subscription="active")

    async def _shown(self, file: OutgoingFile) -> Mapping[str, Any]:
        """A file as a message, a picture or what is played."""
        url = address_of(file)
        if urlsplit(url).scheme != "https":
            raise RefusedError("LINE fetches files from addresses that begin with https:// only", "file_address")
        match file.mime.lower():
            case mime if mime == _RECORDING:
                length = recording_length(await file.content())
                if length is None:
                    raise RefusedError(f"{file.name!r} does not tell how long it is; record it anew", "recording")
                return {"type": "audio", "originalContentUrl": url, "duration": length}
            case mime if mime == _FILM:
                return {"type": "video", "originalContentUrl": url, "previewImageUrl": self._preview}
            case _:
                return {"type": "image", "originalContentUrl": url, "previewImageUrl": url}

    def _fresh(self, message: Outgoing, now: int) -> bool:
        wanted = says_yes(self.binding, "reply_tokens")
        return wanted and message.last_in_at is not None and 0 <= now - message.last_in_at < _FRESH_MS

    async def _reply(self, token: str, messages: Sequence[Mapping[str, Any]], api: Api) -> Sent:
        body = {"replyToken": token, "messages": messages}
        return _sent(await self._asked(self._request("POST", "/v2/bot/message/reply", body), api))

    async def _push(self, message: Outgoing, messages: Sequence[Mapping[str, Any]], api: Api) -> Sent:
        request = self._request("POST", "/v2/bot/message/push", {"to": message.conversation, "messages": messages})
        key = str(uuid.uuid5(_KEYS, f"{self.binding.account}/{message.id}"))
        response = await api.call(replace(request, headers={**request.headers, "X-Line-Retry-Key": key}))
        if response.status == HTTPStatus.CONFLICT:
            return _sent_before(told(response))
        return _sent(self._judged(response))

    def _request(
        self, method: Any, path: str, body: Mapping[str, Any] | None = None, *, data: bool = False
    ) -> ApiRequest:
        [token] = needed(self.binding.settings, "access_token")
        host = address(self.binding, API_URL.name, DATA_HOST if data else HOST)
        headers = {"Authorization": f"Bearer {token}"}
        if body is None:
            return ApiRequest(method=method, url=host + path, headers=headers)
        headers["Content-Type"] = "application/json"
        return ApiRequest(method=method, url=host + path, headers=headers, body=msgspec.json.encode(body))

    async def _asked(self, request: ApiRequest, api: Api) -> Document:
        return self._judged(await api.call(request))

    def _judged(self, response: ApiResponse) -> Document:
        """What an answer holds; raises what its status means. A quota that is used up is no matter of seconds."""
        found = told(response)
        secrets = [self.binding.settings.get(one.name, "") for one in self.settings if one.secret]
        reason = without(secrets, "; ".join(_reasons(found)))
        if response.status == HTTPStatus.TOO_MANY_REQUESTS and _QUOTA in reason.lower():
            raise RefusedError(f"LINE answers 429: {reason}", "monthly_limit")
        return answered(checked(response, reason))


def _texts(message: Outgoing) -> Iterator[Mapping[str, Any]]:
    if message.text.strip():
        yield {"type": "text", "text": message.text, **_quoted(message)}


def _large(message: Outgoing, now: int) -> Iterator[Objection]:
    played = [file for file in message.files if file.mime.lower() in {_RECORDING, _FILM}]
    pictures = [file for file in message.files if file not in played]
    for most, files in ((_PREVIEW_BYTES, pictures), (_RECORDING_BYTES, played)):
        if files:
            yield from objections(replace(message, text="", files=files), Limits(file_bytes=most), now)


def _quoted(message: Outgoing) -> Mapping[str, str]:
    """The token of the message that is answered; only that of the customer's latest is known."""
    told_of = message.extra.get("quote")
    quoted = reading.optional_part({"quote": told_of}, "quote")
    token = reading.text(quoted, "token")
    return {"quoteToken": token} if token and message.reply_to and quoted.get("message") == message.reply_to else {}


def _sent(answer: Document) -> Sent:
    with readable():
        first = next(iter(reading.items(answer, "sentMessages")), None)
        return Sent(message=reading.identity(reading.part({"sent": first}, "sent"), "id"))


def _sent_before(answer: Document) -> Sent:
    """What LINE had taken before; it may not tell its id any more."""
    try:
        return _sent(answer)
    except UncertainError:
        return Sent()


def _reasons(found: Document) -> Iterator[str]:
    """What an error says, and of what."""
    yield reading.text(found, "message") or "no reason"
    with suppress(UnreadableError):
        for one in reading.items(found, "details"):
            detail = reading.optional_part({"detail": one}, "detail")
            yield ": ".join(filter(None, (reading.text(detail, "property"), reading.text(detail, "message"))))


def _wide(message: Outgoing) -> Iterator[Objection]:
    length = len(message.text.encode("utf-16-le", "surrogatepass")) // 2
    if length > _TEXT >= len(message.text):
        over = length - _TEXT
        text = f"the text has {length} characters as LINE counts them, it takes {_TEXT}; shorten it by {over}"
        yield Objection(code="text_too_long", text=text, figures={"length": length, "most": _TEXT, "over": over})
