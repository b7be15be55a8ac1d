"""WhatsApp Cloud API: what is sent from a business phone number, and its media.

After Meta's "WhatsApp Cloud API: Messages, Media, Throughput" and "Business-scoped user IDs". There is no history to be
asked for. The id of a reply travels as `biz_opaque_callback_data`, which its statuses bring back. Outside the window
only approved templates go out (`templates.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from actors.events import Attachment
from connectors.contract import reading
from connectors.contract.asking import API_URL, address, readable
from connectors.contract.calling import Api, ApiRequest, RefusedError, before_sending, needed
from connectors.contract.connector import Capabilities, Setting
from connectors.contract.history import Pace, Probe
from connectors.contract.multipart import FilePart
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile, Sent
from connectors.contract.typed import Wording
from connectors.meta.graph import ACCESS_TOKEN, API_VERSION, APP_ID, APP_SECRET_PROOF, HOST, Graph, ascii_name
from connectors.meta.login import standing
from connectors.meta.webhooks import APP_SECRET, VERIFY_TOKEN
from connectors.whatsapp.inbound import WhatsAppWebhooks
from connectors.whatsapp.templates import approved, check_values, template

_DAY_MS = 24 * 3_600 * 1_000
_MIB = 2**20
_CAPTION = 1_024
_SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")
_PERSON = re.compile("[0-9]{1,15}", re.ASCII)
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]+", re.ASCII)
_MEDIA_HOSTS = (".fbsbx.com", ".facebook.com", ".whatsapp.net")
"""Whose files the token may be shown to."""


class _Kind(Struct, frozen=True):
    """A kind of media message: the types it takes, its largest file, and whether a text may go with it."""

    mimes: frozenset[str]
    most: int
    caption: bool


_KINDS: Mapping[str, _Kind] = {
    "image": _Kind(frozenset({"image/jpeg", "image/png"}), 5 * _MIB, caption=True),
    "sticker": _Kind(frozenset({"image/webp"}), 500 * 1_024, caption=False),
    "audio": _Kind(
        frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}), 16 * _MIB, caption=False
    ),
    "video": _Kind(frozenset({"video/mp4", "video/3gpp"}), 16 * _MIB, caption=True),
    "document": _Kind(
        frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            }
        ),
        100 * _MIB,
        caption=True,
    ),
}


_MOST = max(kind.most for kind in _KINDS.values())


class WhatsApp(WhatsAppWebhooks):
    """One business phone number."""

    settings = (
        APP_SECRET,
        VERIFY_TOKEN,
        Setting(
            name="phone_number_id",
            about="the phone number's id: App Dashboard, WhatsApp, API setup; replies are sent from it, and when it is "
            "given, what is for the account's other numbers is refused",
            secret=False,
            required=False,
        ),
        ACCESS_TOKEN,
        Setting(
            name="business_account_id",
            about="the WhatsApp Business account's id, on the same page; with it Weir sees whether webhooks are sent, "
            "and offers the account's approved templates",
            secret=False,
            required=False,
        ),
        APP_ID,
        APP_SECRET_PROOF,
        API_VERSION,
        API_URL,
    )
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "delivered", "read", "failed"}),
        edits=True,
        deletes=True,
        echoes=True,
        sends=True,
    )
    limits = Limits(
        text=4_096,
        window_ms=_DAY_MS,
        files=1,
        file_bytes=_MOST,
        mimes=frozenset[str]().union(*(kind.mimes for kind in _KINDS.values())),
    )
    pace = Pace(requests=20, per_s=1.0)
    """The least throughput of a number, one that is used in the phone's app too."""

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also to what a single kind of media does not take."""
        found = [*super().objections(message, now), *_of_kinds(message)]
        return [_with_a_way(one) if one.code == "window_closed" else one for one in found]

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send a text, or a file with the text as its caption; the file is uploaded first."""
        [number] = needed(self.binding.settings, "phone_number_id")
        graph = Graph(self, api)
        if len(message.files) > 1 or not (message.files or message.text.strip()):
            raise RefusedError("WhatsApp takes a text, or one file with its caption", "too_many_files")
        body = {
            "messaging_product": "whatsapp",
            **_recipient(message.conversation),
            **({"context": {"message_id": message.reply_to}} if message.reply_to else {}),
            **(await _content(message, number, graph)),
            "biz_opaque_callback_data": message.id,
        }
        return Sent(message=await _posted(graph, number, body))

    async def wordings(self, api: Api) -> Sequence[Wording]:
        """The account's approved templates that text and a file fill in. Raises the errors of calling."""
        [account] = needed(self.binding.settings, "business_account_id")
        return await approved(Graph(self, api), account)

    async def say(
        self,
        conversation: str,
        reply: str,
        wording: Wording,
        filled: Mapping[str, str],
        api: Api,
        *,
        files: Sequence[OutgoingFile] = (),
    ) -> str:
        """Send a template, whenever the customer wrote last; the file of its head is uploaded first.

        Raises the errors of calling.
        """
        [number] = needed(self.binding.settings, "phone_number_id")
        graph = Graph(self, api)
        _check_head(wording, files)
        check_values(filled)
        media: dict[str, str] = {}
        for file in files:
            media = await _uploaded(file, number, graph)
            media |= {"filename": file.name} if wording.media == "document" else {}
        body = {
            "messaging_product": "whatsapp",
            **_recipient(conversation),
            "type": "template",
            "template": template(wording, filled, media),
            "biz_opaque_callback_data": reply,
        }
        return await _posted(graph, number, body)

    async def locate(self, attachment: Attachment, api: Api) -> ApiRequest | None:
        """The media's address, which holds for five minutes, and the token it wants to see."""
        graph = Graph(self, api)
        number = self.binding.settings.get("phone_number_id")
        own = [("phone_number_id", number)] if number else []
        answer = await graph.get(attachment.id, query=own)
        with readable():
            url = reading.text(answer, "url")
        if not url or not self._theirs(url):
            raise RefusedError("WhatsApp names no address of its own for this file", "media_address")
        return ApiRequest(method="GET", url=url, headers=graph.authorisation())

    async def probe(self, api: Api) -> Probe:
        """Whether the token holds, and whether the business account's webhooks are sent to the app."""
        graph = Graph(self, api)
        settings = self.binding.settings
        told = await standing(self, api, _SCOPES)
        account = settings.get("business_account_id")
        if account is None:
            [number] = needed(settings, "phone_number_id")
            await graph.get(number, query=[("fields", "id")])
            return told
        answer = await graph.get(account, "subscribed_apps")
        with readable():
            active = _subscribed(reading.items(answer, "data"), settings.get("app_id"))
        return replace(told, subscription="active" if active else "disabled")

    def _theirs(self, url: str) -> bool:
        """Whether an address is Meta's, or on the host that stands in for it."""
        try:
            parts, api = urlsplit(url), urlsplit(address(self.binding, "api_url", HOST))
            host = f".{parts.hostname or ''}"
        except ValueError:
            return False
        return (parts.scheme == "https" and host.endswith(_MEDIA_HOSTS)) or parts[:2] == api[:2]


async def _posted(graph: Graph, number: str, body: Mapping[str, Any]) -> str:
    """The id of what was sent."""
    answer = await graph.post(number, "messages", body=body)
    with readable():
        first = next(iter(reading.items(answer, "messages")), None)
        return reading.identity(reading.part({"message": first}, "message"), "id")


def _with_a_way(closed: Objection) -> Objection:
    """What can be done about a window that is over."""
    text = (
        "the 24 hours after the customer's last message are over: send an approved template, which is offered beside"
        " the conversation, or wait until the customer writes again"
    )
    return replace(closed, text=text, figures={**closed.figures, "templates": 1})


def _recipient(conversation: str) -> Mapping[str, str]:
    if _PERSON.fullmatch(conversation):
        return {"recipient_type": "individual", "to": conversation}
    if _USER_ID.fullmatch(conversation):
        return {"recipient_type": "individual", "recipient": conversation}
    return {"recipient_type": "group", "to": conversation}


async def _content(message: Outgoing, number: str, graph: Graph) -> Mapping[str, Any]:
    if not message.files:
        return {"type": "text", "text": {"body": message.text}}
    file = message.files[0]
    kind = _kind_of(file)
    media = await _uploaded(file, number, graph)
    if message.text.strip() and _KINDS[kind].caption:
        media["caption"] = message.text
    if kind == "document":
        media["filename"] = file.name
    return {"type": kind, kind: media}


async def _uploaded(file: OutgoingFile, number: str, graph: Graph) -> dict[str, str]:
    """What an uploaded file is called by. However that fails, nothing was sent."""
    part = FilePart(name="file", filename=ascii_name(file.name), mime=file.mime, content=await file.content())
    fields = [("messaging_product", "whatsapp"), ("type", file.mime)]
    with before_sending():
        answer = await graph.upload(number, "media", fields=fields, file=part)
        with readable():
            return {"id": reading.identity(answer, "id")}


def _check_head(wording: Wording, files: Sequence[OutgoingFile]) -> None:
    """Raise RefusedError (code `files`) when they are not what the head of a template takes."""
    if wording.media is None:
        if files:
            raise RefusedError("these words take no file", "files")
        return
    if len(files) != 1:
        raise RefusedError(f"above these words stands one file ({wording.media}), not {len(files)}", "files")
    file, kind = files[0], _KINDS[wording.media]
    if file.mime.lower() not in kind.mimes:
        kinds = ", ".join(sorted(kind.mimes))
        raise RefusedError(f"above these words stands one of {kinds}, not {file.mime}", "files")
    if file.size > kind.most:
        raise RefusedError(f"{file.name!r} is larger than the {kind.most / _MIB:.3g} MB that stand there", "files")


def _kind_of(file: OutgoingFile) -> str:
    mime = file.mime.lower()
    return next((name for name, kind in _KINDS.items() if mime in kind.mimes), "document")


def _of_kinds(message: Outgoing) -> Iterator[Objection]:
    for file in message.files:
        name = _kind_of(file)
        kind = _KINDS[name]
        if kind.most < file.size <= _MOST:
            text = f"{file.name!r} has {file.size / _MIB:.3g} MB, WhatsApp takes {kind.most / _MIB:.3g} MB of this kind"
            figures = {"name": file.name, "bytes": file.size, "most": kind.most}
            yield Objection(code="file_too_large", text=f"{text}; compress it", figures=figures)
        if message.text.strip() and not kind.caption:
            text = "the platform takes a text or a file of this kind with one message; send them as two messages"
            yield Objection(code="text_with_files", text=text)
    if message.files and len(message.text) > _CAPTION:
        over = len(message.text) - _CAPTION
        yield Objection(
            code="text_too_long",
            text=f"a text that goes with a file has {_CAPTION} characters at most; shorten it by {over}, or send the"
            " file by itself",
            figures={"length": len(message.text), "most": _CAPTION, "over": over},
        )


def _subscribed(apps: Sequence[Any], app_id: str | None) -> bool:
    """Whether our app, or some app when its id is not known, gets the account's webhooks."""
    parts = [reading.part({"app": app}, "app") for app in apps]
    ids = [reading.optional_identity(reading.optional_part(part, "whatsapp_business_api_data"), "id") for part in parts]
    return app_id in ids if app_id else bool(ids)
