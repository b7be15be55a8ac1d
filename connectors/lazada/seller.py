"""Lazada: buyer chat of one seller, after its Open Platform ("Push Mechanism", "Instant Messaging API", "System API").

Unconfirmed: that a picture uploaded as products' are may be sent in a chat (setting `upload_path`), where a picture's
address stands (`picture_field`), where the order of an order's card stands (`order_field`), and the numbers of the
chat's rate limits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlencode

from actors.events import Delete
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
from connectors.contract.pictures import picture_size
from connectors.contract.reading import Document
from connectors.contract.signatures import require_app_signature
from connectors.contract.typed import AllKinds, Allowance, Beginning
from connectors.lazada import begun, history
from connectors.lazada.api import AUTH_HOST, HOSTS, SellerApi
from connectors.lazada.history import Cursor
from connectors.lazada.inbound import PICTURE, PLATFORM, TEXT, chat_of, events_of, gone, is_told, read_until

SEND, UPLOAD, READ = "/im/message/send", "/image/upload", "/im/session/read"
RECALL, RECALL_MS = "/im/message/recall", 120_000
TOKEN, RENEW = "/auth/token/create", "/auth/token/refresh"  # paths
BOUGHT = "AUTH_TYPE_UNSUPPORTED"
"""The token lasts as long as what the seller bought in the service market, and is not renewed."""
MOST_PAGES = 1_000
LONGEST_S = 10**9


class Lazada(AllKinds, Connector):
    """Buyer chat of one seller."""

    platform = PLATFORM
    settings = (
        Setting(name="app_key", about="the app key of your app: App Console, App Overview", secret=False),
        Setting(name="app_secret", about="the app secret beside it"),
        Setting(
            name="seller_id",
            about="the number of the seller; when it is given, pushes for another seller are refused",
            secret=False,
            required=False,
        ),
        Setting(
            name="picture_field",
            about="the field of a picture's content that holds its address; unconfirmed, perhaps imgUrl; "
            "without it pictures are announced but cannot be opened",
            secret=False,
            required=False,
        ),
        Setting(
            name="order_field",
            about="the field of an order card's content that holds the order's number; unconfirmed, perhaps orderId; "
            "without it the order that a card shows is not known",
            secret=False,
            required=False,
        ),
        Setting(
            name="country",
            about=f"the seller's country, for answering: one of {', '.join(HOSTS)}",
            secret=False,
            required=False,
        ),
        Setting(name="access_token", about="what authorising the seller gives, for answering", required=False),
        Setting(name="refresh_token", about="what authorising gives, to renew the access token with", required=False),
        Setting(
            name="upload_path",
            about=f"the call that uploads a picture before it is sent; unconfirmed for chats, {UPLOAD} without it",
            secret=False,
            required=False,
        ),
        MARK_READ,
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "failed", "read"}),
        deletes=True,
        echoes=True,
        sends=True,
        history=True,
        recall_ms=RECALL_MS,
    )
    limits = Limits(files=1, together=False, file_bytes=2**20, mimes=frozenset({"image/jpeg", "image/png"}))
    pace = Pace(requests=5, per_s=1.0, sweep_s=900, depth_s=3_600)
    shared = Shared(by="seller_id", app=("app_key", "app_secret"))
    oauth = OAuth(grants=("access_token", "refresh_token", "seller_id", "country"))
    kinds: ClassVar[Mapping[str, Allowance]] = begun.KINDS
    """What may be begun about an order, apart from answers."""

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the app key and the body; raises SignatureError."""
        require_app_signature(request, self.binding.settings)

    def route(self, request: WebhookRequest) -> str | None:
        """The seller that a push of chat names."""
        try:
            push = reading.document(request.body)
        except UnreadableError:
            return None
        return reading.optional_identity(push, "seller_id") if is_told(push) else None

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A push is one message, how far one was read, or tells nothing of messages; raises UnreadableError."""
        if not request.body.strip():
            return ()
        push = reading.document(request.body)
        data, position = chat_of(push), read_until(push)
        if data is None and position is None:
            return ()
        ours, told = self.binding.settings.get("seller_id"), reading.optional_identity(push, "seller_id")
        if ours and told and told != ours:
            reason = (
                f"the push is for seller {told}, this channel is seller {ours}; bind that seller as its own channel"
            )
            return [Refused(request.body, reason)]
        return [position] if data is None and position is not None else events_of(data or {}, self.binding)

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """A text, or a picture that is uploaded first."""
        seller = SellerApi(self.binding, api)
        if message.files and (message.text.strip() or len(message.files) > 1):
            raise RefusedError("Lazada takes a text or one picture with a message; send them one by one", "one_by_one")
        content = {"template_id": TEXT, "txt": message.text}
        if message.files:
            with before_sending():
                content = {"template_id": PICTURE, **await self._uploaded(seller, message.files[0])}
        found = await seller.post(SEND, session_id=message.conversation, **content)
        with readable():
            data = reading.part(found, "data")
            own = reading.identity(data, "message_id")
        return Sent(message=own, at=_moment(data, "current_time"))

    async def _uploaded(self, seller: SellerApi, file: OutgoingFile) -> dict[str, str]:
        content = await file.content()
        size = picture_size(content)
        if size is None:
            raise RefusedError(f"{file.name!r} is no JPEG or PNG picture; convert it", "file_kind")
        path = "/" + (self.binding.settings.get("upload_path") or UPLOAD).strip("/ ")
        found = await seller.upload(path, FilePart(name="image", filename=file.name, mime=file.mime, content=content))
        with readable():
            url = reading.identity(reading.part(reading.part(found, "data"), "image"), "url")
        return {"img_url": url, "width": str(size[0]), "height": str(size[1])}

    async def mark_read(self, conversation: str, message: str, api: Api) -> None:
        """The session was read up to a message. Raises the errors of calling."""
        await SellerApi(self.binding, api).post(READ, session_id=conversation, last_read_message_id=message)

    async def recall(self, conversation: str, message: str, api: Api) -> Delete:
        """Within two minutes; what is a system's is refused. Raises the errors of calling."""
        await SellerApi(self.binding, api).post(RECALL, session_id=conversation, message_id=message)
        return gone(conversation, message, self.binding)

    async def act(self, asked: Beginning, api: Api) -> str | None:
        """Begin a message about an order of the last 30 days. Raises the errors of calling."""
        return await begun.begin(SellerApi(self.binding, api), asked)

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """Session by session, the latest first."""
        seller = SellerApi(self.binding, api)
        listed: list[str] = [window.conversation] if window.conversation else []
        following = None if window.conversation else Cursor(str(api.now()))
        asked = 0
        while listed or following:
            if following is not None:
                listed, following = await history.sessions(seller, window, following)
            for session in listed:
                cursor: Cursor | None = Cursor(str(min(window.until, api.now())))
                while cursor is not None:
                    asked = _counted(asked)
                    parsed, cursor = await history.messages(seller, window, session, cursor)
                    yield parsed
            listed = []
            asked = _counted(asked)

    async def probe(self, api: Api) -> Probe:
        """One session is asked for: that needs the very permission that chat needs."""
        await SellerApi(self.binding, api).get(history.SESSIONS, start_time=str(api.now()), page_size="1")
        return Probe()

    def authorise_url(self, ask: Ask) -> str:
        """Lazada's page where the seller signs in. Raises RefusedError without an app key."""
        (key,) = needed(self.binding.settings, "app_key")
        query = {
            "response_type": "code",
            "force_auth": "true",
            "redirect_uri": ask.redirect,
            "client_id": key,
            "state": ask.state,
        }
        return f"{address(self.binding, 'auth_url', AUTH_HOST)}/oauth/authorize?{urlencode(query)}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens of the seller that signed in; the code is good for half an hour, once."""
        code = reply.query.get("code", "")
        if not code:
            raise RefusedError("Lazada sent no code; sign in with the seller's account and allow the app")
        return self._granted(await SellerApi(self.binding, api).authorise(TOKEN, code=code), api.now())

    async def renew(self, api: Api) -> Grant | None:
        """Both tokens anew; None for those that last as long as what was bought in the service market."""
        token = self.binding.settings.get("refresh_token")
        if not token:
            return None
        with renewing():
            try:
                found = await SellerApi(self.binding, api).authorise(RENEW, refresh_token=token)
            except RefusedError as refused:
                if refused.code == BOUGHT:
                    return None
                raise
        return self._granted(found, api.now())

    def _granted(self, found: Document, now: int) -> Grant:
        with readable():
            access = reading.identity(found, "access_token")
        settings = {"access_token": access, **self._whose(found)}
        refresh, lasts = reading.optional_identity(found, "refresh_token"), _seconds(found, "refresh_expires_in")
        if refresh and lasts:
            settings["refresh_token"] = refresh
        seconds = _seconds(found, "expires_in")
        return Grant(
            settings=settings,
            expires_at=now + seconds * 1_000 if seconds else None,
            refresh_by=now + lasts * 1_000 if refresh and lasts else None,
        )

    def _whose(self, found: Document) -> dict[str, str]:
        """Seller and country, where the grant is for one or the channel's settings say which; raises RefusedError."""
        sellers = _sellers(found)
        ours, where = self.binding.settings.get("seller_id"), _country(self.binding.settings)
        if ours and sellers and ours not in sellers.values():
            signed_in = ", ".join(sellers.values())
            raise RefusedError(f"seller {signed_in} was authorised, this channel is seller {ours}; sign in as that one")
        fitting = {
            country: seller
            for country, seller in sellers.items()
            if (not ours or seller == ours) and (not where or country == where)
        }
        if len(fitting) != 1:
            return {}
        ((country, seller),) = fitting.items()
        return {"seller_id": seller, "country": country}


def _sellers(found: Document) -> dict[str, str]:
    """The seller's number by country. Documented is a list, and shown beside it an object by country."""
    infos: list[tuple[str, Document]] = []
    for name in ("country_user_info", "country_user_info_list"):
        by_country = reading.optional_part(found, name)
        infos += [(country, reading.optional_part(by_country, country)) for country in by_country]
        told = reading.items(found, name) if isinstance(found.get(name), list) else ()
        listed = [reading.optional_part({"info": one}, "info") for one in told]
        infos += [(_country(one), one) for one in listed]
    sellers = {country: reading.optional_identity(one, "seller_id") for country, one in infos}
    return {country: seller for country, seller in sellers.items() if country in HOSTS and seller}


def _country(parent: Document) -> str:
    return (reading.text(parent, "country") or "").strip().lower()


def _moment(parent: Document, name: str) -> int | None:
    """A time under a name, ms; None when it tells none."""
    try:
        return reading.milliseconds(parent, name)
    except UnreadableError:
        return None


def _seconds(parent: Document, name: str) -> int | None:
    """A duration under a name, which is sometimes a string; None when it tells none."""
    found = reading.optional_identity(parent, name) or ""
    seconds = int(found) if found.isascii() and found.isdigit() and len(found) <= len(str(LONGEST_S)) else 0
    return seconds if 0 < seconds <= LONGEST_S else None


def _counted(asked: int) -> int:
    if asked >= MOST_PAGES:
        raise UncertainError(f"Lazada's history has no end: it was left after {MOST_PAGES} pages")
    return asked + 1
