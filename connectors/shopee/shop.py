"""Shopee: seller chat of one shop, after its Open Platform ("webchat_push", "SellerChat", "Authorization").

Unconfirmed: signatures of pushes over the body alone, which count with the setting `body_alone`, and the numbers of its
rate limits. Shopee's flow of authorisation knows no state: it stands in the address that Shopee sends the browser back
to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlencode

from connectors.contract import reading
from connectors.contract.asking import API_URL, MARK_READ, address, readable, says_yes
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, RefusedError, UncertainError, before_sending, needed, renewing
from connectors.contract.connector import (
    Answer,
    Capabilities,
    Connector,
    Parsed,
    Setting,
    Shared,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.multipart import FilePart
from connectors.contract.outgoing import Limits, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.contract.signatures import hex_of, hmac_sha256, require, secret
from connectors.contract.typed import AllKinds, Allowance, Beginning
from connectors.shopee import begun, history
from connectors.shopee.api import HOST, ShopApi, signed_query
from connectors.shopee.begun import SEND
from connectors.shopee.inbound import PLATFORM, parsed_push, shop_of

READ = "/api/v2/sellerchat/read_conversation"
UPLOAD = "/api/v2/sellerchat/upload_image"
AUTHORISE = "/api/v2/shop/auth_partner"
TOKEN, RENEW = "/api/v2/auth/token/get", "/api/v2/auth/access_token/get"  # paths
SHOP, PUSHES = "/api/v2/shop/get_shop_info", "/api/v2/push/get_app_push_config"
NO_CODE = "0"
PREFIX = "shpk"
"""Before keys of the console; said to be no part of what signs the body alone."""
LONGEST_PROBE = 4_096
MOST_PAGES = 1_000
LONGEST_S = 10**9
RENEWABLE_MS = 30 * 86_400_000
EXPIRING_MS = 7 * 86_400_000


class Shopee(AllKinds, Connector):
    """Seller chat of one shop."""

    platform = PLATFORM
    settings = (
        Setting(name="push_key", about="the Live Push Partner Key of your app: Console, Push Mechanism, Set Push"),
        Setting(
            name="partner_key",
            about="the API partner key of your app, for answering; older apps sign their pushes with it too",
            required=False,
        ),
        Setting(
            name="body_alone",
            about="yes to accept pushes that are signed over the body without the address, too; unconfirmed that "
            "Shopee signs so, one program's author says that it does",
            secret=False,
            required=False,
        ),
        Setting(
            name="partner_id",
            about="the partner id of your app, for answering: Console, App List",
            secret=False,
            required=False,
        ),
        Setting(
            name="shop_id",
            about="the number of the shop; when it is given, pushes for another shop are refused",
            secret=False,
            required=False,
        ),
        Setting(name="access_token", about="what authorising the shop gives, for answering", required=False),
        Setting(
            name="refresh_token", about="what authorising the shop gives, to renew the access token", required=False
        ),
        MARK_READ,
        API_URL,
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), echoes=True, sends=True, history=True)
    limits = Limits(
        files=1, together=False, file_bytes=2 * 2**20, mimes=frozenset({"image/jpeg", "image/png", "image/gif"})
    )
    pace = Pace(requests=5, per_s=1.0, sweep_s=900, depth_s=3_600)
    shared = Shared(by="shop_id", app=("push_key",))
    oauth = OAuth(grants=("access_token", "refresh_token", "shop_id"))
    kinds: ClassVar[Mapping[str, Allowance]] = begun.KINDS
    """What may be sent about an order, apart from answers."""

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The console's probe (code 0) is unsigned and wants its body back."""
        if not 0 < len(request.body) <= LONGEST_PROBE:
            return None
        try:
            code = reading.optional_identity(reading.document(request.body), "code")
        except UnreadableError:
            return None
        return Answer(body=request.body, media_type="application/json") if code == NO_CODE else None

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the address as registered there, and the body; raises SignatureError.

        One that fits the body alone says so, for then the address is what differs.
        """
        signed = f"{self.binding.url}|".encode() + request.body
        found = secret(self.binding.settings, "push_key"), self.binding.settings.get("partner_key", "")
        keys = [key for key in found if key.strip()]
        genuine = [hex_of(hmac_sha256(key, signed)) for key in keys]
        bare = [hex_of(hmac_sha256(key.removeprefix(PREFIX) or key, request.body)) for key in keys]
        claimed = request.headers.get("authorization")
        if says_yes(self.binding, "body_alone"):
            require(claimed, *genuine, *bare, where="Authorization")
            return
        try:
            require(claimed, *genuine, where="Authorization")
        except SignatureError as wrong:
            if not _fits(claimed, bare):
                raise
            advice = f"is {self.binding.url} registered there to the letter? Else set `body_alone`"
            raise SignatureError(f"Authorization fits the body without the address; {advice}") from wrong

    def route(self, request: WebhookRequest) -> str | None:
        """The shop that a push of chat names."""
        try:
            return shop_of(reading.document(request.body))
        except UnreadableError:
            return None

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A push is one message or tells nothing of messages; raises UnreadableError."""
        if not request.body.strip():
            return ()
        push = reading.document(request.body)
        return parsed_push(push, request.body, self.binding.settings.get("shop_id"), self.binding.account)

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """A text, or a picture that is uploaded first; it goes to the buyer who wrote last, not to a conversation."""
        shop = self._shop(api)
        buyer = message.recipient or ""
        if not (buyer.isascii() and buyer.isdigit()):
            raise RefusedError("Shopee sends to a buyer's number, and none is known of this conversation", "no_buyer")
        if message.files and (message.text.strip() or len(message.files) > 1):
            raise RefusedError("Shopee takes a text or one picture with a message; send them one by one", "one_by_one")
        content: dict[str, str] = {"text": message.text}
        if message.files:
            with before_sending():
                content = {"image_url": await _uploaded(shop, message.files[0])}
        kind = "image" if message.files else "text"
        found = await shop.post(SEND, {"to_id": int(buyer), "message_type": kind, "content": content})
        with readable():
            answer = reading.part(found, "response")
            own = reading.identity(answer, "message_id")
        return Sent(message=own, at=_seconds(answer, "created_timestamp"))

    async def mark_read(self, conversation: str, message: str, api: Api) -> None:
        """The conversation was read up to a message. Raises the errors of calling."""
        if not conversation.isdigit():
            raise RefusedError("Shopee's conversations are numbers")
        told = {"conversation_id": int(conversation), "last_read_message_id": message}
        await self._shop(api).post(READ, told)

    async def act(self, asked: Beginning, api: Api) -> str | None:
        """Send a card to the customer of the conversation. Raises the errors of calling."""
        return await begun.begin(self._shop(api), asked)

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """Lost pushes first, which are confirmed when the next page is asked for; then conversation by conversation."""
        shop, account = self._shop(api), self.binding.account
        more, asked = window.conversation is None, 0
        while more:
            asked = _counted(asked)
            page = await history.lost(shop, window, account)
            if page.parsed:
                yield page.parsed
            if page.confirm is not None:
                await history.confirm(shop, page.confirm)
            more = page.more and page.confirm is not None
        listed, cursor = ([window.conversation] if window.conversation else []), None
        while True:
            if window.conversation is None:
                listed, cursor = await history.conversations(shop, window, cursor)
            for conversation in listed:
                offset: str | None = None
                while True:
                    asked = _counted(asked)
                    parsed, offset = await history.messages(shop, window, conversation, offset, account)
                    yield parsed
                    if offset is None:
                        break
            asked = _counted(asked)
            if cursor is None:
                return

    async def probe(self, api: Api) -> Probe:
        """Until when the shop's authorisation holds, and whether Shopee suspended the app's pushes."""
        shop = self._shop(api)
        found = await shop.get(SHOP)
        expires = _seconds(found, "expire_time")
        try:
            pushes: Document = reading.optional_part(await shop.get(PUSHES, shop=False), "response")
        except RefusedError:
            pushes = {}
        status = (reading.text(pushes, "live_push_status") or "").lower()
        return Probe(
            auth="expiring" if expires is not None and expires - api.now() < EXPIRING_MS else "ok",
            expires_at=expires,
            subscription="disabled" if status == "suspended" else "active" if status else "unknown",
            detail=f"Shopee says of the app's pushes: {status[:20]}" if status in {"warning", "suspended"} else "",
        )

    def authorise_url(self, ask: Ask) -> str:
        """Shopee's page where the seller signs in; good for about five minutes. Raises RefusedError."""
        query = signed_query(self.binding, AUTHORISE, ask.at, shop=False)
        joint = "&" if "?" in ask.redirect else "?"
        back = f"{ask.redirect}{joint}{urlencode({'state': ask.state})}"
        return f"{address(self.binding, 'api_url', HOST)}{AUTHORISE}?{urlencode([*query, ('redirect', back)])}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens of the shop that the seller chose."""
        code, shop = reply.query.get("code", ""), reply.query.get("shop_id", "")
        ours = self.binding.settings.get("shop_id")
        if not code or not (shop.isascii() and shop.isdigit()):
            raise RefusedError("Shopee sent no code of a shop; sign in with the shop's own account and allow the app")
        if ours and ours != shop:
            raise RefusedError(f"shop {shop} was authorised, this channel is shop {ours}; sign in as that shop")
        return await self._granted(TOKEN, {"code": code, "shop_id": int(shop)}, api)

    async def renew(self, api: Api) -> Grant | None:
        """Both tokens anew: the refresh token is good for once."""
        token, shop = self.binding.settings.get("refresh_token"), self.binding.settings.get("shop_id", "")
        if not token or not (shop.isascii() and shop.isdigit()):
            return None
        with renewing():
            return await self._granted(RENEW, {"refresh_token": token, "shop_id": int(shop)}, api)

    async def _granted(self, path: str, asked: dict[str, str | int], api: Api) -> Grant:
        (partner,) = needed(self.binding.settings, "partner_id")
        if not (partner.isascii() and partner.isdigit()):
            raise RefusedError("the channel's setting `partner_id` is no number; it stands in the Console, App List")
        found = await ShopApi(self.binding, api).post(path, {**asked, "partner_id": int(partner)}, shop=False)
        with readable():
            access, refresh = (reading.identity(found, name) for name in ("access_token", "refresh_token"))
        seconds, now = reading.number(found, "expire_in"), api.now()
        return Grant(
            settings={"access_token": access, "refresh_token": refresh, "shop_id": str(asked["shop_id"])},
            expires_at=now + int(seconds * 1_000) if seconds is not None and 0 < seconds < LONGEST_S else None,
            refresh_by=now + RENEWABLE_MS,
        )

    def _shop(self, api: Api) -> ShopApi:
        """Raises RefusedError without the settings that asking needs."""
        needed(self.binding.settings, "partner_id", "partner_key", "access_token", "shop_id")
        return ShopApi(self.binding, api)


def _fits(claimed: str | None, genuine: Sequence[str]) -> bool:
    try:
        require(claimed, *genuine, where="Authorization")
    except SignatureError:
        return False
    return True


async def _uploaded(shop: ShopApi, file: OutgoingFile) -> str:
    part = FilePart(name="file", filename=file.name, mime=file.mime, content=await file.content())
    found = await shop.upload(UPLOAD, part)
    with readable():
        return reading.identity(reading.part(found, "response"), "url")


def _seconds(parent: Document, name: str) -> int | None:
    """A time under a name, as ms; None when it tells none."""
    try:
        return reading.milliseconds(parent, name, unit_ms=1000)
    except UnreadableError:
        return None


def _counted(asked: int) -> int:
    if asked >= MOST_PAGES:
        raise UncertainError(f"Shopee's history has no end: it was left after {MOST_PAGES} pages")
    return asked + 1
