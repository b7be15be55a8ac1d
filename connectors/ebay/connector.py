"""eBay's connector: what its notifications prove and name, what its Message API takes and gives."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, ClassVar, cast
from urllib.parse import quote, urlencode

import msgspec

from actors.events import Message
from actors.orders import ForgetCustomer
from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, MARK_READ, address, readable, says_yes
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, RefusedError, UncertainError, needed
from connectors.contract.canonical import canonical
from connectors.contract.connector import (
    Answer,
    Binding,
    Capabilities,
    Connector,
    Parsed,
    Setting,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.fetched import unfetchable
from connectors.contract.history import Pace, Pointer, Probe, Window
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.contract.signatures import secret
from connectors.contract.tokens import Tokens
from connectors.ebay.asking import Asking
from connectors.ebay.keys import Keys
from connectors.ebay.messages import EBAY, MEMBERS, Thread, events_of
from connectors.ebay.signing import HEADER, claim_of, require

PAGES_HOST = "https://auth.ebay.com"
SCOPE = "https://api.ebay.com/oauth/api_scope/commerce.message"
PAGE = 50
MOST_PAGES = 40
"""Of one listing: 2,000 conversations, or messages of one conversation."""
SLACK_MS = 300_000
"""A notification that names no message is about what was written shortly before it."""
MEDIA = {"application/pdf": "PDF", "text/plain": "TXT", "application/msword": "DOC"}


class Ebay(Connector):
    """Messages between one seller and other members."""

    platform = "ebay"
    settings = (
        Setting(
            name="verification_token",
            about="a word of your own choice, 32 to 80 of A-Z a-z 0-9 _ -; enter it with the notification endpoint",
        ),
        Setting(name="client_id", about="App ID (Client ID) of your keyset: Application Keys", secret=False),
        Setting(name="client_secret", about="Cert ID (Client Secret) of the same keyset"),
        Setting(
            name="username",
            about="your user name at eBay; what it wrote is your own",
            secret=False,
        ),
        Setting(
            name="redirect_name",
            about="the RuName of your keyset: User Tokens, Get a Token from eBay via Your Application; "
            "needed to authorise the channel in a browser",
            secret=False,
            required=False,
        ),
        Setting(name="access_token", about="set when the channel is authorised; needed to answer", required=False),
        Setting(name="refresh_token", about="set when the channel is authorised", required=False),
        MARK_READ,
        Setting(
            name="copy_to_sender",
            about="yes to have eBay send a copy of every answer to the seller's own e-mail address",
            secret=False,
            required=False,
        ),
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(receipts=frozenset({"accepted", "read"}), sends=True, history=True)
    limits = Limits(
        text=2_000,
        files=5,
        wordless=False,
        mimes=frozenset({"image/*", *MEDIA}),
        forbids=frozenset({"emails", "phones"}),
    )
    pace = Pace(complete=False)
    prepares: ClassVar[bool] = True
    oauth = OAuth(grants=("access_token", "refresh_token"), scopes=(SCOPE,))

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self._keys = Keys()
        self._copies = says_yes(binding, "copy_to_sender")

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The answer to a challenge: a hash of its code, the verification token and the address of the endpoint."""
        code = request.query.get("challenge_code")
        if request.method != "GET" or not code:
            return None
        word = secret(self.binding.settings, "verification_token")
        digest = hashlib.sha256(f"{code}{word}{self.binding.url}".encode("utf-8", "surrogateescape")).hexdigest()
        return Answer(body=msgspec.json.encode({"challengeResponse": digest}), media_type="application/json")

    async def prepare(self, request: WebhookRequest, api: Api) -> None:
        """Fetch the public key that the request names. Raises RetriableError."""
        try:
            claim = claim_of(request.headers.get(HEADER))
        except SignatureError:  # `verify` says so
            return
        await self._keys.fetch(claim.kid, self._asking(api), api)

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the compact JSON body, by a key of eBay's; raises SignatureError."""
        claim = claim_of(request.headers.get(HEADER))
        require(claim, self._keys.key(claim.kid), request.body)

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A new message is a pointer, a deleted account a customer to forget; raises UnreadableError."""
        if not request.body.strip():
            return ()
        told = reading.document(request.body)
        topic = reading.text(reading.optional_part(told, "metadata"), "topic")
        notice = reading.optional_part(told, "notification")
        data = reading.optional_part(notice, "data")
        if topic == "NEW_MESSAGE":
            return [self._pointer(notice, data)]
        if topic == "MARKETPLACE_ACCOUNT_DELETION":
            names = (reading.optional_identity(data, name) for name in ("userId", "username"))
            return [
                ForgetCustomer(platform=self.platform, account=self.binding.account, contact=name)
                for name in dict.fromkeys(names)
                if name
            ]
        return ()

    async def resolve(self, pointer: Pointer, api: Api) -> Sequence[Parsed]:
        """The message that a notification names, or what was written shortly before one that names none."""
        about = pointer.about
        thread = self._thread(about.get("conversation", ""), about.get("kind", MEMBERS))
        wanted = about.get("message")
        async for found in self._messages(thread, api):
            if wanted is None:
                return _newer(_read(thread, found), int(about["at"]) - SLACK_MS)
            if named := [one for one in found if _names(one, wanted)]:
                return _read(thread, named)
        raise UncertainError(f"conversation {thread.conversation} does not show the message yet")

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also to files that eBay could not fetch."""
        return [*super().objections(message, now), *unfetchable(message, secure=True)]

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Answer in the conversation; files go as addresses that eBay fetches."""
        body: dict[str, Any] = {"conversationId": message.conversation, "messageText": message.text}
        if message.files:
            body["messageMedia"] = [_media(file) for file in message.files]
        if self._copies:
            body["emailCopyToSender"] = True
        told = await self._asking(api).message_api("POST", "send_message", body=body)
        with readable():
            at = reading.instant(told, "createdDate") if "createdDate" in told else None
            return Sent(message=reading.identity(told, "messageId"), at=at)

    async def mark_read(self, conversation: str, message: str, api: Api) -> None:
        """The conversation was read: eBay takes no message. Raises the errors of calling."""
        del message
        told = {"conversationId": conversation, "conversationType": MEMBERS, "read": True}
        await self._asking(api).tell("update_conversation", told)

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """The messages of every conversation whose latest one is not older than the window."""
        if window.conversation is not None:
            thread = self._thread(window.conversation, MEMBERS)
            async for page in self._messages(thread, api):
                yield _newer(_read(thread, page), window.since)
            return
        read: set[str] = set()
        async for found in self._pages(api, "conversation", "conversations", MEMBERS):
            for own in _touched(found, window.since):
                if own in read:
                    continue
                read.add(own)
                thread = self._thread(own, MEMBERS)
                async for page in self._messages(thread, api):
                    yield _newer(_read(thread, page), window.since)

    async def probe(self, api: Api) -> Probe:
        """A listing of one conversation: it needs the token. eBay tells nothing of subscriptions to it."""
        query = (("conversation_type", MEMBERS), ("limit", "1"))
        await self._asking(api).message_api("GET", "conversation", query=query)
        return Probe()

    def authorise_url(self, ask: Ask) -> str:
        """The page of consent; the redirect is named by its RuName."""
        client, redirect = needed(self.binding.settings, "client_id", "redirect_name")
        asked = {
            "client_id": client,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": SCOPE,
            "state": ask.state,
        }
        return f"{address(self.binding, 'auth_url', PAGES_HOST)}/oauth2/authorize?{urlencode(asked, quote_via=quote)}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens for a code; raises RefusedError when the person did not consent."""
        code = reply.query.get("code", "")
        if not code:
            raise RefusedError("eBay gave no code: the consent was refused; authorise the channel anew")
        (name,) = needed(self.binding.settings, "redirect_name")
        fields = (("grant_type", "authorization_code"), ("code", code), ("redirect_uri", name))
        return _grant(await self._asking(api).tokens(fields, code))

    async def renew(self, api: Api) -> Grant | None:
        """A new access token; the refresh token stays as it is."""
        token = self.binding.settings.get("refresh_token")
        if not token:
            return None
        fields = (("grant_type", "refresh_token"), ("refresh_token", token), ("scope", SCOPE))
        return _grant(await self._asking(api).tokens(fields))

    def _asking(self, api: Api) -> Asking:
        values = self.binding.settings
        return Asking(self.binding, [values.get(one.name, "") for one in self.settings if one.secret], api)

    def _thread(self, conversation: str, kind: str) -> Thread:
        seller = self.binding.settings.get("username", "")
        return Thread(account=self.binding.account, seller=seller, conversation=conversation, kind=kind)

    def _pointer(self, notice: Document, data: Document) -> Pointer:
        conversation = reading.identity(data, "conversationId")
        message = reading.optional_identity(data, "messageId")
        kind = EBAY if reading.text(data, "conversationType") == EBAY else MEMBERS
        about = {"conversation": conversation, "kind": kind}
        if message is not None:
            return Pointer(id=f"{conversation}/{message}", about=about | {"message": message})
        about["at"] = str(reading.instant(notice, "eventDate"))
        return Pointer(id=reading.identity(notice, "notificationId"), about=about)

    def _messages(self, thread: Thread, api: Api) -> AsyncIterator[Sequence[Any]]:
        return self._pages(api, f"conversation/{quote(thread.conversation, safe='')}", "messages", thread.kind)

    async def _pages(self, api: Api, path: str, name: str, kind: str) -> AsyncIterator[Sequence[Any]]:
        asking = self._asking(api)
        for number in range(MOST_PAGES):
            query = (("conversation_type", kind), ("limit", str(PAGE)), ("offset", str(number * PAGE)))
            told = await asking.message_api("GET", path, query=query)
            with readable():
                found = reading.items(told, name)
            yield found
            total = reading.size(told, "total")
            if len(found) < PAGE or (total is not None and total <= (number + 1) * PAGE):
                return


def _read(thread: Thread, found: Sequence[Any]) -> list[Parsed]:
    return reading.each(found, lambda one: canonical(events_of(thread, one)))


def _names(found: Any, message: str) -> bool:
    return isinstance(found, dict) and reading.optional_identity(cast("Document", found), "messageId") == message


def _newer(page: Sequence[Parsed], since: int) -> list[Parsed]:
    """Without the messages before that time (ms) and what is about them."""
    old = {message for one in page if (message := _sent_before(one, since)) is not None}
    return [one for one in page if getattr(one, "message", None) not in old]


def _sent_before(one: Parsed, since: int) -> str | None:
    return one.message if isinstance(one, Message) and one.sent_at < since else None


def _touched(conversations: Sequence[Any], since: int) -> Iterator[str]:
    """The ids of those whose latest message is not older than that time (ms), or that do not tell."""
    for one in conversations:
        found: Document = cast("Document", one) if isinstance(one, dict) else {}
        own = reading.optional_identity(found, "conversationId")
        try:
            latest = reading.instant(reading.part(found, "latestMessage"), "createdDate")
        except UnreadableError:
            latest = since
        if own is not None and latest >= since:
            yield own


def _media(file: OutgoingFile) -> dict[str, str]:
    if file.url is None or not file.url.startswith("https://"):
        raise RefusedError(
            f"eBay fetches files itself, and {file.name!r} has no public https address; set Weir's public address, or"
            " send the text alone",
            "file_without_address",
        )
    kind = "IMAGE" if file.mime.lower().startswith("image/") else MEDIA.get(file.mime.lower(), "DOC")
    return {"mediaName": file.name, "mediaType": kind, "mediaUrl": file.url}


def _grant(tokens: Tokens) -> Grant:
    settings = {"access_token": tokens.access}
    if tokens.refresh is not None:
        settings["refresh_token"] = tokens.refresh
    return Grant(settings=settings, expires_at=tokens.expires_at, refresh_by=tokens.refresh_by, scopes=tokens.scopes)
