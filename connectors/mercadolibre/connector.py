"""Mercado Libre's connector: what its notifications point to, what its messages API takes and gives."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast
from urllib.parse import quote, urlencode

import msgspec

from actors.events import Attachment, Message
from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, readable, says_yes
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, ApiRequest, RefusedError, before_sending, needed
from connectors.contract.canonical import canonical
from connectors.contract.connector import (
    Capabilities,
    Connector,
    Parsed,
    Refused,
    Setting,
    Shared,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Pointer, Probe, Window
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.contract.rules import objections
from connectors.contract.signatures import secret
from connectors.contract.tokens import Tokens
from connectors.contract.typed import Allowance, Place
from connectors.mercadolibre import questions, reasons
from connectors.mercadolibre.asking import TAG, Asking
from connectors.mercadolibre.messages import events_of, own_id, pack_of, plain_id, rejection_of

PAGES_HOSTS = {
    "MLA": "https://auth.mercadolibre.com.ar",
    "MLB": "https://auth.mercadolivre.com.br",
    "MLC": "https://auth.mercadolibre.cl",
    "MCO": "https://auth.mercadolibre.com.co",
    "MLM": "https://auth.mercadolibre.com.mx",
    "MLU": "https://auth.mercadolibre.com.uy",
    "MPE": "https://auth.mercadolibre.com.pe",
}
PAGE = 50
MOST_PAGES = 40
RECENT_MS = 86_400_000
"""A notification of a pack is about what was written in it lately; the rest is history's."""
MOST_MISSED = 500
MOST_PACKS = 1_000
"""So many conversations one listing of unread ones names at most."""


class MercadoLibre(Connector):
    """Post-sale messages of one seller."""

    platform = "mercadolibre"
    settings = (
        Setting(
            name="webhook_key",
            about="a long word of your own choice; put it behind the callback address as ?key=word, for nothing "
            "else proves a notification",
        ),
        Setting(name="client_id", about="the application's number: My applications", secret=False),
        Setting(name="client_secret", about="the secret key beside it; needed to authorise", required=False),
        Setting(name="seller_id", about="the seller's user number; what it wrote is your own", secret=False),
        Setting(
            name="site",
            about="the site's three letters, such as MLB; needed for files and to authorise",
            secret=False,
            required=False,
        ),
        Setting(
            name="agent_id",
            about="user number of the site's agent when answers must go to it; unconfirmed, so that without it they "
            "go to whoever wrote last",
            secret=False,
            required=False,
        ),
        Setting(
            name="questions",
            about="`yes` to take and answer questions before a sale, too; unconfirmed, so that it is off otherwise",
            secret=False,
            required=False,
        ),
        Setting(
            name="missed_feeds",
            about="`yes` to ask for the notifications that did not get through, too, when the history is read;"
            " unconfirmed, so that it is off otherwise",
            secret=False,
            required=False,
        ),
        Setting(
            name="reasons",
            about="`yes` to begin messages after a sale, for one of the reasons that Mercado Libre has; unconfirmed, so"
            " that it is off otherwise",
            secret=False,
            required=False,
        ),
        Setting(name="access_token", about="set when the channel is authorised; messages need it", required=False),
        Setting(name="refresh_token", about="set when the channel is authorised", required=False),
        API_URL,
        AUTH_URL,
    )
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
        return [_question_pointer(told) if topic == questions.TOPIC else _pointer(told)]

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """An answer to a question has limits of its own."""
        question = questions.question_of(message.conversation)
        return super().objections(message, now) if question is None else objections(message, questions.LIMITS, now)

    async def resolve(self, pointer: Pointer, api: Api) -> Sequence[Parsed]:
        """The message, or the latest page of the pack, that a notification points to."""
        asking = self._asking(api)
        if (pack := pointer.about.get("pack")) is not None:
            found = self._read(pack, _messages(await self._page(asking, pack, 0)))
            return _newer(found, int(pointer.about.get("since", "0")))
        if (question := pointer.about.get("question")) is not None:
            return self._question(await asking.get(f"questions/{quote(question, safe='')}", questions.VERSION))
        wanted = pointer.about.get("message", "")
        found = await asking.get(f"messages/{quote(wanted, safe='')}", TAG)
        return reading.each(_messages(found), lambda one: self._events(pack_of(one), one))

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Answer in the pack; files are uploaded first."""
        asking, values = self._asking(api), self.binding.settings
        if (question := questions.question_of(message.conversation)) is not None:
            told = await asking.post("answers", {"question_id": _numbered(question), "text": message.text})
            at = reading.optional_part(told, "answer")
            sent_at = reading.instant(at, "date_created") if at.get("date_created") is not None else None
            return Sent(message=f"{questions.ANSWER}{question}", at=sent_at)
        (seller,) = needed(values, "seller_id")
        to = values.get("agent_id") or message.recipient
        if to is None:
            raise RefusedError("nobody has written in this conversation yet, so that there is nobody to answer")
        body: dict[str, Any] = {
            "from": {"user_id": _numbered(seller)},
            "to": {"user_id": _numbered(to)},
            "text": message.text,
        }
        if message.files:
            (site,) = needed(values, "site")
            with before_sending():
                body["attachments"] = [_file_id(await asking.upload(file, site)) for file in message.files]
        return _sent(await asking.post(_path(message.conversation, seller), body, TAG))

    async def actions(self, order: str, api: Api, *, place: Place | None = None) -> Sequence[str]:
        """The reasons that the sale allows now; none where the setting says nothing of them."""
        pack = _pack(order, place)
        if not self._asks("reasons") or questions.question_of(pack) is not None:
            return ()
        return await reasons.allowed(self._asking(api), pack)

    async def language(self, order: str, api: Api) -> str | None:
        """Mercado Libre tells none."""
        del order, api

    async def act(
        self,
        order: str,
        kind: str,
        api: Api,
        *,
        text: str = "",
        files: Sequence[OutgoingFile] = (),
        place: Place | None = None,
    ) -> str | None:
        """Begin a message for a reason. Raises the errors of calling, RefusedError where moderation keeps it back."""
        pack = _pack(order, place)
        if not self._asks("reasons") or questions.question_of(pack) is not None:
            raise RefusedError("nothing is begun here: set the channel's `reasons` to `yes`, for sales", "reasons")
        return _sent(await reasons.begin(self._asking(api), pack, kind, text, len(files))).message

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """The messages of one pack, or of all packs with unread ones: others are not listed.

        Also questions, and what notifications told of that did not get through, where the settings say so.
        """
        asking = self._asking(api)
        if self._asks("questions") and (window.conversation is None or questions.question_of(window.conversation)):
            async for page in self._questions(asking, window):
                yield page
        if self._asks("missed_feeds") and window.conversation is None:
            async for page in self._missed(asking, window, api):
                yield page
        if window.conversation is not None and questions.question_of(window.conversation):
            return
        packs = [window.conversation] if window.conversation is not None else await self._unread(asking)
        for pack in packs:
            for number in range(MOST_PAGES):
                found = await self._page(asking, pack, number * PAGE)
                messages = _messages(found)
                yield _newer(self._read(pack, messages), window.since)
                total = reading.size(reading.optional_part(found, "paging"), "total")
                if len(messages) < PAGE or (total is not None and total <= (number + 1) * PAGE):
                    break

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
        values = self.binding.settings
        host = values.get("auth_url") or PAGES_HOSTS.get(values.get("site", ""))
        if host is None:
            (site,) = needed(values, "site")
            raise RefusedError(f"where {site!r} authorises is not known here; give `auth_url`")
        (client,) = needed(values, "client_id")
        asked = {"response_type": "code", "client_id": client, "redirect_uri": ask.redirect, "state": ask.state}
        if ask.challenge:
            asked |= {"code_challenge": ask.challenge, "code_challenge_method": "S256"}
        return f"{host.rstrip('/')}/authorization?{urlencode(asked, quote_via=quote)}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens for a code."""
        code = reply.query.get("code", "")
        if not code:
            raise RefusedError("Mercado Libre gave no code: the consent was refused; authorise the channel anew")
        fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", reply.redirect)]
        if reply.verifier:
            fields.append(("code_verifier", reply.verifier))
        return _grant(await self._asking(api).tokens(*fields))

    async def renew(self, api: Api) -> Grant | None:
        """Both tokens anew: the one given for them is good for once."""
        token = self.binding.settings.get("refresh_token")
        if not token:
            return None
        fields = (("grant_type", "refresh_token"), ("refresh_token", token))
        return _grant(await self._asking(api).tokens(*fields))

    def _asks(self, setting: str) -> bool:
        return says_yes(self.binding, setting)

    def _question(self, found: Document) -> Sequence[Parsed]:
        seller = self.binding.settings.get("seller_id", "")
        return canonical(questions.events_of(self.platform, self.binding.account, seller, found))

    async def _questions(self, asking: Asking, window: Window) -> AsyncIterator[Sequence[Parsed]]:
        """The seller's questions, the newest first, back to the window's beginning."""
        if window.conversation is not None:
            own = questions.question_of(window.conversation) or ""
            yield self._question(await asking.get(f"questions/{quote(own, safe='')}", questions.VERSION))
            return
        (seller,) = needed(self.binding.settings, "seller_id")
        order = (("sort_fields", "date_created"), ("sort_types", "DESC"))
        for number in range(MOST_PAGES):
            place = (("limit", str(PAGE)), ("offset", str(number * PAGE)))
            told = await asking.get("questions/search", ("seller_id", seller), questions.VERSION, *order, *place)
            with readable():
                found = reading.items(told, "questions")
            page = reading.each(found, lambda one: self._question(reading.part({"question": one}, "question")))
            yield page
            asked = [one.sent_at for one in page if isinstance(one, Message) and one.direction == "in"]
            if len(found) < PAGE or (asked and min(asked) < window.since):
                return

    async def _missed(self, asking: Asking, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """What the notifications point to that did not get through."""
        (app,) = needed(self.binding.settings, "client_id")
        told = await asking.get("missed_feeds", ("app_id", app))
        with readable():
            found = reading.items(told, "messages")
        pointers: dict[str, Pointer] = {}
        for one in found:
            # What cannot be read, or is for another seller of the app, points to nothing of ours.
            with suppress(UnreadableError):
                for pointed in self.parse(WebhookRequest(method="POST", body=msgspec.json.encode(one))):
                    if isinstance(pointed, Pointer):
                        pointers[pointed.id] = pointed
        for pointed in list(pointers.values())[:MOST_MISSED]:
            try:
                yield _newer(await self.resolve(pointed, api), window.since)
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

    async def _page(self, asking: Asking, pack: str, offset: int) -> Document:
        """Messages of a pack; none is marked as read by it."""
        (seller,) = needed(self.binding.settings, "seller_id")
        window = (("mark_as_read", "false"), ("limit", str(PAGE)), ("offset", str(offset)))
        return await asking.get(_path(pack, seller), TAG, *window)

    async def _unread(self, asking: Asking) -> list[str]:
        told = await asking.get("messages/unread", ("role", "seller"), TAG)
        with readable():
            found = reading.items(told, "results")
        return list(dict.fromkeys(_packs(found)))[:MOST_PACKS]


def _pointer(told: Document) -> Pointer:
    """`resource` is an id, or a path that ends with one, or one of a pack."""
    pieces = [piece for piece in reading.identity(told, "resource").split("?")[0].split("/") if piece]
    if "packs" in pieces[:-1]:
        about = {"pack": plain_id(pieces[pieces.index("packs") + 1])}
        if reading.text(told, "sent"):
            about["since"] = str(reading.instant(told, "sent") - RECENT_MS)
    elif pieces and pieces[-1] not in {"messages", "packs"}:
        about = {"message": plain_id(pieces[-1])}
    else:
        raise UnreadableError("'resource' names nothing")
    actions = "+".join(action for action in reading.items(told, "actions") if isinstance(action, str))
    kind, own = next(iter(about.items()))
    return Pointer(id=f"{kind}/{own}/{actions[:64]}", about=about)


def _question_pointer(told: Document) -> Pointer:
    """A question changes when it is answered or taken away: each notification is a pointer of its own."""
    pieces = [piece for piece in reading.identity(told, "resource").split("?")[0].split("/") if piece]
    if not pieces or pieces[-1] == questions.TOPIC:
        raise UnreadableError("'resource' names nothing")
    own = plain_id(pieces[-1])
    return Pointer(id=f"question/{own}/{reading.optional_identity(told, '_id') or ''}"[:200], about={"question": own})


def _pack(order: str, place: Place | None) -> str:
    """The conversation, which is the sale's pack; the order's number where a sale has none."""
    return order if place is None else place.conversation


def _path(pack: str, seller: str) -> str:
    return f"messages/packs/{quote(pack, safe='')}/sellers/{quote(seller, safe='')}"


def _packs(found: Sequence[Any]) -> Iterator[str]:
    for one in found:
        resource = reading.text(cast("Document", one), "resource") if isinstance(one, dict) else None
        pieces = (resource or "").strip("/").split("/")
        if pieces[0] == "packs" and len(pieces) > 1 and pieces[1]:
            yield pieces[1]


def _messages(told: Document) -> Sequence[Any]:
    """Those of a listing; a message that stands for itself is a listing of one."""
    with readable():
        return reading.items(told, "messages") if "messages" in told else [told]


def _newer(page: Sequence[Parsed], since: int) -> list[Parsed]:
    """Without the messages before that time (ms) and what is about them."""
    old = {one.message for one in page if isinstance(one, Message) and one.sent_at < since}
    return [one for one in page if getattr(one, "message", None) not in old]


def _numbered(user: str) -> int | str:
    return int(user) if user.isascii() and user.isdigit() else user


def _file_id(told: Document) -> str:
    with readable():
        return reading.identity(told, "id")


def _sent(told: Document) -> Sent:
    """What became of a message; raises RefusedError when moderation keeps it back at once."""
    one = next(iter(_messages(told)), told)
    found: Document = cast("Document", one) if isinstance(one, dict) else {}
    rejection = rejection_of(found)
    if rejection is not None:
        raise RefusedError(rejection.reason or "rejected", str(rejection.code))
    with readable():
        return Sent(message=own_id(found), at=_created(found))


def _created(told: Document) -> int | None:
    dates = reading.optional_part(told, "message_date")
    part, name = (dates, "created") if "created" in dates else (told, "date_created")
    return reading.instant(part, name) if part.get(name) is not None else None


def _grant(tokens: Tokens) -> Grant:
    settings = {"access_token": tokens.access}
    if tokens.refresh is not None:
        settings["refresh_token"] = tokens.refresh
    return Grant(settings=settings, expires_at=tokens.expires_at, refresh_by=tokens.refresh_by, scopes=tokens.scopes)
