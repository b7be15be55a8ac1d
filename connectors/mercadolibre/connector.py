"""Mercado Libre's connector: what its notifications point to, what its messages API takes and gives."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from actors.events import Attachment, Message
from connectors.contract import reading
from connectors.contract.asking import says_yes
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, ApiRequest, RefusedError, needed
from connectors.contract.canonical import canonical
from connectors.contract.connector import (
    Capabilities,
    Connector,
    Parsed,
    Refused,
    Shared,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Pointer, Probe, Window
from connectors.contract.outgoing import Limits, Objection, Outgoing, Sent
from connectors.contract.reading import Document
from connectors.contract.rules import objections
from connectors.contract.signatures import secret
from connectors.contract.typed import Allowance, Beginning, Place
from connectors.mercadolibre import authorising, history, outbound, questions, reasons
from connectors.mercadolibre.asking import TAG, Asking
from connectors.mercadolibre.messages import PLATFORM, events_of, pack_of
from connectors.mercadolibre.notifications import pointer_of, question_pointer_of
from connectors.mercadolibre.settings import SETTINGS

MOST_MISSED = 500


class MercadoLibre(Connector):
    """Post-sale messages of one seller."""

    platform = PLATFORM
    settings = SETTINGS
    capabilities = Capabilities(receipts=frozenset({"accepted", "read", "failed"}), sends=True, history=True)
    limits = Limits(
        text=350,
        files=25,
        file_bytes=25 * 2**20,
        mimes=frozenset({"image/jpeg", "image/png", "application/pdf", "text/plain"}),
        forbids=frozenset({"emails", "phones"}),
    )
    pace = Pace(requests=8, conversations=True, complete=False)
    shared = Shared(by="seller_id", app=("client_id", "webhook_key"))
    oauth = OAuth(grants=("access_token", "refresh_token"), pkce="S256")
    kinds: ClassVar[Mapping[str, Allowance]] = reasons.KINDS
    """For what a message may be begun, where the setting `reasons` is `yes`."""

    def verify(self, request: WebhookRequest) -> None:
        """The address holds our word; raises SignatureError. Only what is fetched afterwards is believed."""
        word = secret(self.binding.settings, "webhook_key")
        given = request.query.get("key", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), word.encode()):
            raise SignatureError("the callback address lacks ?key= with the channel's `webhook_key`, or has another")

    def route(self, request: WebhookRequest) -> str | None:
        """The seller that a notification is for."""
        try:
            return reading.optional_identity(reading.document(request.body), "user_id")
        except UnreadableError:
            return None

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A notification of messages is a pointer; raises UnreadableError."""
        if not request.body.strip():
            return ()
        told = reading.document(request.body)
        topic = reading.text(told, "topic")
        if topic != "messages" and not (topic == questions.TOPIC and self._asks("questions")):
            return ()
        for name, setting in (("application_id", "client_id"), ("user_id", "seller_id")):
            theirs, ours = reading.identity(told, name), self.binding.settings.get(setting)
            if theirs != ours:
                reason = f"the notification has {name} {theirs}, this channel has {setting} {ours}"
                return [Refused(request.body, f"{reason}; bind that seller as its own channel")]
        return [question_pointer_of(told) if topic == questions.TOPIC else pointer_of(told)]

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """An answer to a question has limits of its own."""
        question = questions.question_of(message.conversation)
        return super().objections(message, now) if question is None else objections(message, questions.LIMITS, now)

    async def resolve(self, pointer: Pointer, api: Api) -> Sequence[Parsed]:
        """The message, or the latest page of the pack, that a notification points to."""
        asking, about = self._asking(api), pointer.about
        if (pack := about.get("pack")) is not None:
            (seller,) = needed(self.binding.settings, "seller_id")
            found = history.messages_of(await history.page(asking, seller, pack))
            return history.newer(self._read(pack, found), int(about.get("since", "0")))
        if (question := about.get("question")) is not None:
            return self._question(await history.question(asking, question))
        told = await asking.get(f"messages/{quote(about.get('message', ''), safe='')}", TAG)
        return reading.each(history.messages_of(told), lambda one: self._events(pack_of(one), one))

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Answer in the pack, or the question. Raises the errors of calling."""
        if (question := questions.question_of(message.conversation)) is not None:
            return await outbound.answer_question(self._asking(api), question, message.text)
        return await outbound.answer(self._asking(api), self.binding.settings, message)

    async def actions(self, order: str, api: Api, *, place: Place | None = None) -> Sequence[str]:
        """The reasons that the sale allows now; none where the setting says nothing of them."""
        pack = _pack(order, place)
        if not self._asks("reasons") or questions.question_of(pack) is not None:
            return ()
        return await reasons.allowed(self._asking(api), pack)

    async def language(self, order: str, api: Api) -> str | None:
        """Mercado Libre tells none."""
        del order, api

    async def act(self, asked: Beginning, api: Api) -> str | None:
        """Begin a message for a reason. Raises the errors of calling, RefusedError where moderation keeps it back."""
        pack = _pack(asked.order, asked.place)
        if not self._asks("reasons") or questions.question_of(pack) is not None:
            raise RefusedError("nothing is begun here: set the channel's `reasons` to `yes`, for sales", "reasons")
        return outbound.sent(await reasons.begin(self._asking(api), pack, asked)).message

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """The messages of one pack, or of all packs with unread ones: others are not listed.

        Also questions, and what notifications told of that did not get through, where the settings say so.
        """
        asking, whole = self._asking(api), window.conversation is None
        if self._asks("questions") and (whole or questions.question_of(window.conversation or "")):
            async for page in self._questions(asking, window):
                yield page
        if self._asks("missed_feeds") and whole:
            async for page in self._missed(asking, window, api):
                yield page
        if window.conversation is not None and questions.question_of(window.conversation):
            return
        (seller,) = needed(self.binding.settings, "seller_id")
        for pack in [window.conversation] if window.conversation is not None else await history.unread(asking):
            async for found in history.pages(asking, seller, pack):
                yield history.newer(self._read(pack, found), window.since)

    async def locate(self, attachment: Attachment, api: Api) -> ApiRequest | None:
        """The request for a file: by its name, with the seller's token."""
        (site,) = needed(self.binding.settings, "site")
        return self._asking(api).download(quote(attachment.id, safe=""), site)

    async def probe(self, api: Api) -> Probe:
        """Whose token it is."""
        told = await self._asking(api).get("users/me")
        own, ours = reading.optional_identity(told, "id"), self.binding.settings.get("seller_id")
        if own is not None and own != ours:
            return Probe(detail=f"the token is of user {own}, the channel's `seller_id` is {ours}: authorise it anew")
        return Probe()

    def authorise_url(self, ask: Ask) -> str:
        """The page of consent, of the seller's country."""
        return authorising.consent_url(self.binding.settings, ask)

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens for a code."""
        return authorising.grant_of(await self._asking(api).tokens(*authorising.fields_of(reply)))

    async def renew(self, api: Api) -> Grant | None:
        """Both tokens anew: the one given for them is good for once."""
        token = self.binding.settings.get("refresh_token")
        if not token:
            return None
        fields = (("grant_type", "refresh_token"), ("refresh_token", token))
        return authorising.grant_of(await self._asking(api).tokens(*fields))

    def _asks(self, setting: str) -> bool:
        return says_yes(self.binding, setting)

    def _question(self, found: Document) -> Sequence[Parsed]:
        seller = self.binding.settings.get("seller_id", "")
        return canonical(questions.events_of(self.platform, self.binding.account, seller, found))

    async def _questions(self, asking: Asking, window: Window) -> AsyncIterator[Sequence[Parsed]]:
        """The seller's questions, the newest first, back to the window's beginning; or the one that it is about."""
        if window.conversation is not None:
            own = questions.question_of(window.conversation) or ""
            yield self._question(await history.question(asking, own))
            return
        (seller,) = needed(self.binding.settings, "seller_id")
        async for found in history.questions(asking, seller):
            page = reading.each(found, lambda one: self._question(reading.part({"question": one}, "question")))
            yield page
            asked = [one.sent_at for one in page if isinstance(one, Message) and one.direction == "in"]
            if asked and min(asked) < window.since:
                return

    async def _missed(self, asking: Asking, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """What the notifications point to that did not get through."""
        (app,) = needed(self.binding.settings, "client_id")
        pointers: dict[str, Pointer] = {}
        for one in await history.missed(asking, app):
            # What cannot be read, or is for another seller of the app, points to nothing of ours.
            with suppress(UnreadableError):
                for pointed in self.parse(WebhookRequest(method="POST", body=msgspec.json.encode(one))):
                    if isinstance(pointed, Pointer):
                        pointers[pointed.id] = pointed
        for pointed in list(pointers.values())[:MOST_MISSED]:
            try:
                yield history.newer(await self.resolve(pointed, api), window.since)
            except RefusedError:
                continue  # what it points to is there no more

    def _asking(self, api: Api) -> Asking:
        values = self.binding.settings
        return Asking(self.binding, [values.get(one.name, "") for one in self.settings if one.secret], api)

    def _events(self, pack: str, found: Document) -> Sequence[Parsed]:
        seller = self.binding.settings.get("seller_id", "")
        return canonical(events_of(self.binding.account, seller, pack, found))

    def _read(self, pack: str, found: Sequence[Any]) -> list[Parsed]:
        return reading.each(found, lambda one: self._events(pack, one))


def _pack(order: str, place: Place | None) -> str:
    """The conversation, which is the sale's pack; the order's number where a sale has none."""
    return order if place is None else place.conversation


__all__ = ["MercadoLibre"]
