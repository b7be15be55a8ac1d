"""TikTok Shop: buyer chat of one shop, after its Partner Center ("Webhooks", "Customer Service API", "Authorization").

Unconfirmed and left out: the numbers of its rate limits. Whether a conversation may still be answered (30 days, or 60
after an order) is not known here: TikTok refuses then. What is begun about an order: `begun.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, MARK_READ, address, readable
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, RefusedError, UncertainError, before_sending, needed, renewing
from connectors.contract.connector import (
    Capabilities,
    Connector,
    Parsed,
    Refused,
    Setting,
    Shared,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.multipart import FilePart
from connectors.contract.outgoing import Limits, Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.contract.signatures import require_app_signature
from connectors.contract.typed import AllKinds, Allowance, Beginning
from connectors.tiktok import begun, history
from connectors.tiktok.api import AUTH_HOST, LACKING, ShopApi
from connectors.tiktok.inbound import CHAT, PLATFORM, authorisation_of, events_of, kind_of

UPLOAD = "/customer_service/202309/images/upload"
WEBHOOKS = "/event/202309/webhooks"
NEW_MESSAGE = "NEW_MESSAGE"
MOST_PAGES = 1_000


class TikTok(AllKinds, Connector):
    """Buyer chat of one shop."""

    platform = PLATFORM
    settings = (
        Setting(name="app_key", about="the app key of your app: Partner Center, App & Service", secret=False),
        Setting(name="app_secret", about="the app secret beside it"),
        Setting(
            name="shop_id",
            about="the number of the shop; when it is given, notices for another shop are refused",
            secret=False,
            required=False,
        ),
        Setting(name="shop_cipher", about="what names the shop to the API; authorising gives it", required=False),
        Setting(name="access_token", about="what authorising the shop gives, for answering", required=False),
        Setting(name="refresh_token", about="what authorising gives, to renew the access token with", required=False),
        MARK_READ,
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), echoes=True, sends=True, history=True)
    limits = Limits(
        text=2_000,
        files=1,
        together=False,
        file_bytes=10 * 2**20,
        mimes=frozenset({"image/jpeg", "image/gif", "image/webp", "image/png"}),
    )
    pace = Pace(requests=5, per_s=1.0, sweep_s=900, depth_s=3_600)
    shared = Shared(by="shop_id", app=("app_key", "app_secret"))
    oauth = OAuth(grants=("access_token", "refresh_token", "shop_cipher", "shop_id"))
    kinds: ClassVar[Mapping[str, Allowance]] = begun.KINDS
    """What may be begun about an order, apart from answers."""

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the app key and the body; raises SignatureError."""
        require_app_signature(request, self.binding.settings)

    def route(self, request: WebhookRequest) -> str | None:
        """The shop that a notice is for."""
        try:
            notice = reading.document(request.body)
        except UnreadableError:
            return None
        return reading.optional_identity(notice, "shop_id") if kind_of(notice) else None

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A notice is one message or one change of authorisation, or tells of neither; raises UnreadableError."""
        if not request.body.strip():
            return ()
        notice = reading.document(request.body)
        kind = kind_of(notice)
        if kind is None:
            return ()
        ours, told = self.binding.settings.get("shop_id"), reading.optional_identity(notice, "shop_id")
        if ours and told and told != ours:
            reason = f"the notice is for shop {told}, this channel is shop {ours}; bind that shop as its own channel"
            return [Refused(request.body, reason)]
        if kind == CHAT:
            return events_of(reading.part(notice, "data"), self.binding.account)
        return authorisation_of(notice, self.binding.account)

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """A text, or a picture that is uploaded first."""
        shop = ShopApi(self.binding, api)
        if message.files and (message.text.strip() or len(message.files) > 1):
            raise RefusedError("TikTok takes a text or one picture with a message; send them one by one", "one_by_one")
        kind, content = "TEXT", {"content": message.text}
        if message.files:
            with before_sending():
                kind, content = "IMAGE", await _uploaded(shop, message.files[0])
        body = {"type": kind, "content": msgspec.json.encode(content).decode()}
        data = await shop.post(history.messages_path(message.conversation), body)
        with readable():
            return Sent(message=reading.identity(data, "message_id"))

    async def mark_read(self, conversation: str, message: str, api: Api) -> None:
        """Everything of the conversation was read: TikTok takes no message. Raises the errors of calling."""
        del message
        await ShopApi(self.binding, api).post(f"{history.messages_path(conversation)}/read", {})

    async def act(self, asked: Beginning, api: Api) -> str | None:
        """Begin a message about an order, within 60 days. Raises the errors of calling."""
        return await begun.begin(ShopApi(self.binding, api), asked)

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """Conversation by conversation; messages that TikTok does not mean to be seen are left out."""
        shop = ShopApi(self.binding, api)
        page: str | None = None
        asked = 0
        while True:
            if window.conversation:
                listed = [window.conversation]
            else:
                listed, page = await history.conversations(shop, window, page)
            for conversation in listed:
                token: str | None = None
                while True:
                    asked = _counted(asked)
                    parsed, token = await history.messages(shop, window, conversation, token)
                    yield parsed
                    if token is None:
                        break
            asked = _counted(asked)
            if page is None:
                return

    async def probe(self, api: Api) -> Probe:
        """One conversation is asked for, which needs the permission that chat needs; and where notices are sent."""
        shop = ShopApi(self.binding, api)
        try:
            await shop.get(history.CONVERSATIONS, ("page_size", "1"))
        except RefusedError as refused:
            if refused.code not in LACKING:
                raise
            return Probe(lacking=("customer service",), detail=str(refused))
        try:
            data = await shop.get(WEBHOOKS)
        except RefusedError:
            return Probe()
        with readable():
            hooks = [reading.optional_part({"hook": one}, "hook") for one in reading.items(data, "webhooks")]
        addresses = [reading.text(one, "address") for one in hooks if reading.text(one, "event_type") == NEW_MESSAGE]
        if self.binding.url in addresses:
            return Probe(subscription="active")
        if not addresses:  # the app may have set one address for all its shops, which is not told
            return Probe()
        return Probe(subscription="disabled", detail="TikTok sends this shop's new messages to another address")

    def authorise_url(self, ask: Ask) -> str:
        """TikTok's page where the seller signs in; it sends the browser back to where the app's settings say."""
        (key,) = needed(self.binding.settings, "app_key")
        query = urlencode({"app_key": key, "state": ask.state})
        return f"{address(self.binding, 'auth_url', AUTH_HOST)}/oauth/authorize?{query}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens of the seller that signed in, and the name of the shop for the API."""
        code = reply.query.get("code") or reply.query.get("auth_code") or ""
        if not code:
            raise RefusedError("TikTok sent no code; sign in with the seller's account and allow the app")
        shop = ShopApi(self.binding, api)
        data = await shop.tokens("get", ("auth_code", code), ("grant_type", "authorized_code"))
        with readable():
            token = reading.identity(data, "access_token")
        return _granted(data, await self._whose(shop, token))

    async def renew(self, api: Api) -> Grant | None:
        """Both tokens anew."""
        token = self.binding.settings.get("refresh_token")
        if not token:
            return None
        shop = ShopApi(self.binding, api)
        with renewing():
            data = await shop.tokens("refresh", ("refresh_token", token), ("grant_type", "refresh_token"))
        return _granted(data, {})

    async def _whose(self, shop: ShopApi, token: str) -> dict[str, str]:
        """The shop of the channel among those that a token is good for; raises RefusedError."""
        data = await shop.shops(token)
        with readable():
            told = [reading.part({"shop": one}, "shop") for one in reading.items(data, "shops")]
            ciphers = {reading.identity(one, "id"): reading.identity(one, "cipher") for one in told}
        ours = self.binding.settings.get("shop_id")
        if not ours and len(ciphers) == 1:
            (ours,) = ciphers
        if not ours or ours not in ciphers:
            signed_in = ", ".join(ciphers) or "none"
            raise RefusedError(
                f"shops {signed_in} were authorised, this channel is shop {ours or 'unnamed'}; set `shop_id` to one of"
                " them, or sign in as the seller of this one"
            )
        return {"shop_cipher": ciphers[ours], "shop_id": ours}


async def _uploaded(shop: ShopApi, file: OutgoingFile) -> dict[str, str]:
    part = FilePart(name="data", filename=file.name, mime=file.mime, content=await file.content())
    data = await shop.upload(UPLOAD, part)
    with readable():
        return {name: reading.identity(data, name) for name in ("url", "width", "height")}


def _granted(data: Document, whose: dict[str, str]) -> Grant:
    """The tokens of an answer, whose `…_expire_in` are moments (s), not durations."""
    with readable():
        tokens = {name: reading.identity(data, name) for name in ("access_token", "refresh_token")}
        scopes = [one for one in reading.items(data, "granted_scopes") if isinstance(one, str)]
    return Grant(
        settings=tokens | whose,
        expires_at=_moment(data, "access_token_expire_in"),
        refresh_by=_moment(data, "refresh_token_expire_in"),
        scopes=frozenset(scopes) if scopes else None,
    )


def _moment(parent: Document, name: str) -> int | None:
    try:
        return reading.milliseconds(parent, name, unit_ms=1000)
    except UnreadableError:
        return None


def _counted(asked: int) -> int:
    if asked >= MOST_PAGES:
        raise UncertainError(f"TikTok's history has no end: it was left after {MOST_PAGES} pages")
    return asked + 1
