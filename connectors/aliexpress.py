"""AliExpress: letters and order messages of one shop, polled by the message methods of its Open Platform.

All of it is unconfirmed and asks nothing before the setting `confirmed` says `yes`: whether new apps are granted the
methods `aliexpress.message.redefining.versiontwo.*`, which fields a message has, that times are milliseconds, how
tokens are granted. Confirmed is the signature of business methods, and the older one of apps made for the gateway
before this one (setting `sign_method`). Messages are listed by their channel or, where the setting `by_buyer` wants it,
by the buyer's login and the order; whether that listing holds what was said in that channel alone is unconfirmed too.
AliExpress sends no webhooks, and every one is refused.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast
from urllib.parse import quote, urlencode

import msgspec

from actors.errors import RejectedError
from actors.events import Attachment, Message, Receipt, Sender
from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, address, answered, says_yes
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import (
    Api,
    ApiRequest,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    checked,
    needed,
    without,
)
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import (
    Binding,
    Capabilities,
    Connector,
    Parsed,
    Setting,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.outgoing import Limits, Outgoing, Sent
from connectors.contract.reading import Document
from connectors.contract.signatures import enclosed_md5, hex_of, hmac_sha256

HOST = "https://api-sg.aliexpress.com"
METHODS = "aliexpress.message.redefining.versiontwo."
LETTERS, ORDERS = "message_center", "order_msg"
PAGE = 50
MOST_PAGES = 40
DEEPEST = 6
SHA256, MD5 = "sha256", "md5"
DENIED = frozenset(
    {
        "27",
        "AccessTokenExpired",
        "IllegalAccessToken",
        "IllegalRefreshToken",
        "IncompleteSignature",
        "InvalidAccessToken",
        "InvalidAppKey",
        "InvalidCode",
        "MissingAccessToken",
    }
)
BUSY = frozenset({"ApiCallLimit", "AppCallLimit", "SellerCallLimit", "ServiceCurrentlimit", "7"})
FAILED = frozenset({"InternalError", "ServiceTimeout", "ServiceUnavailable", "15"})


class AliExpress(Connector):
    """Messages of one shop."""

    platform = "aliexpress"
    settings = (
        Setting(
            name="confirmed",
            about="yes when AliExpress has granted your app the message methods; unconfirmed that it still does, and "
            "without it nothing is asked",
            secret=False,
            required=False,
        ),
        Setting(name="app_key", about="the app key of your app: App Console, App Overview", secret=False),
        Setting(name="app_secret", about="the app secret beside it"),
        Setting(name="login_id", about="the shop's login name; what it wrote is your own", secret=False),
        Setting(name="access_token", about="set when the channel is authorised; messages need it", required=False),
        Setting(name="refresh_token", about="set when the channel is authorised", required=False),
        Setting(
            name="sign_method",
            about="sha256, or md5 where the app was made for the older gateway; sha256 when it is left out",
            secret=False,
            required=False,
        ),
        Setting(
            name="by_buyer",
            about="yes where the app may list messages by the buyer's login (querymsgdetaillistbybuyerid) and not by "
            "their channel; unconfirmed that this lists one channel's messages alone",
            secret=False,
            required=False,
        ),
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), sends=True, history=True)
    limits = Limits(files=0)
    pace = Pace(requests=2, sweep_s=120, complete=False)
    polls: ClassVar[bool] = True
    oauth = OAuth(grants=("access_token", "refresh_token"))

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        says_yes(binding, "confirmed")
        self._by_buyer = says_yes(binding, "by_buyer")
        self.sign_method = binding.settings.get("sign_method") or SHA256
        if self.sign_method not in {SHA256, MD5}:
            raise RejectedError("settings: sign_method is `sha256` or `md5`")

    def verify(self, request: WebhookRequest) -> None:
        """There is nothing that could be proved: SignatureError."""
        del request
        raise SignatureError("AliExpress sends no webhooks here: its messages are polled")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """Nothing."""
        del request
        return ()

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Answer in a channel of letters or of an order; whether the platform tells an id is unconfirmed."""
        source, channel = _split(message.conversation)
        if not message.recipient:
            raise RefusedError("nobody has written in this conversation yet, so that there is nobody to answer")
        told = {
            "channel_id": channel,
            "buyer_id": message.recipient,
            "content": message.text,
            "msg_sources": source,
        }
        found = await self._business(api, "addmsg", create_param=_json(told))
        success = _found(found, "is_success", 0)
        if success is True or success == "true":
            own = _found(found, "message_id", 0)
            return Sent(message=reading.optional_identity({"id": own}, "id"))
        if success is False or success == "false":
            reason = _found(found, "error_msg", 0)
            raise RefusedError(f"AliExpress refuses the message: {self._discreet(str(reason or 'no reason'))}")
        raise UncertainError("AliExpress's answer does not tell whether the message was taken")

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """The messages of every channel whose latest one is not older than the window, or of one."""
        if window.conversation is not None:
            source, channel = _split(window.conversation)
            buyer = await self._buyer(api, source, channel) if self._by_buyer else None
            async for page in self._channel(api, source, channel, window.since, buyer):
                yield page
            return
        for source in (LETTERS, ORDERS):
            read: set[str] = set()
            async for found in self._relations(api, source):
                for channel, buyer in _touched(found, window.since):
                    if channel in read:
                        continue
                    read.add(channel)
                    async for page in self._channel(api, source, channel, window.since, buyer):
                        yield page

    async def _relations(self, api: Api, source: str) -> AsyncIterator[Sequence[Any]]:
        """The channels of a source, page by page."""
        for number in range(1, MOST_PAGES + 1):
            query = {"msg_sources": source, "current_page": number, "page_size": PAGE}
            found = _list(await self._business(api, "querymsgrelationlist", query=_json(query)), "relation_list")
            yield found
            if len(found) < PAGE:
                return

    async def _buyer(self, api: Api, source: str, channel: str) -> str | None:
        """The login of whom a channel is with; None when it is listed no more."""
        async for found in self._relations(api, source):
            for own, buyer in _touched(found, 0):
                if own == channel:
                    return buyer
        return None

    async def probe(self, api: Api) -> Probe:
        """A listing of one channel: it needs the token."""
        query = {"msg_sources": LETTERS, "current_page": 1, "page_size": 1}
        await self._business(api, "querymsgrelationlist", query=_json(query))
        return Probe()

    def authorise_url(self, ask: Ask) -> str:
        """The page of consent."""
        self._require_confirmed()
        (key,) = needed(self.binding.settings, "app_key")
        asked = {"response_type": "code", "force_auth": "true", "redirect_uri": ask.redirect, "client_id": key}
        host = address(self.binding, "auth_url", HOST)
        return f"{host}/oauth/authorize?{urlencode(asked | {'state': ask.state}, quote_via=quote)}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The tokens for a code."""
        code = reply.query.get("code", "")
        if not code:
            raise RefusedError("AliExpress gave no code: the consent was refused; authorise the channel anew")
        return await self._granted(api, "/auth/token/create", "code", code)

    async def renew(self, api: Api) -> Grant | None:
        """Both tokens anew."""
        token = self.binding.settings.get("refresh_token")
        return await self._granted(api, "/auth/token/refresh", "refresh_token", token) if token else None

    async def _granted(self, api: Api, path: str, name: str, value: str) -> Grant:
        self._require_confirmed()
        found = await self._asked(api, f"/rest{path}", path, {name: value}, value)
        settings = {one: token for one in ("access_token", "refresh_token") if (token := reading.text(found, one))}
        if "access_token" not in settings:
            raise UncertainError("AliExpress's answer holds no token; authorise the channel anew if this stays so")
        return Grant(
            settings=settings,
            expires_at=_later(api.now(), found, "expires_in"),
            refresh_by=_later(api.now(), found, "refresh_expires_in"),
        )

    async def _channel(
        self, api: Api, source: str, channel: str, since: int, buyer: str | None
    ) -> AsyncIterator[Sequence[Parsed]]:
        """A channel's messages page by page, until a page holds only older ones."""
        conversation = channel if source == LETTERS else f"{source}:{channel}"
        for number in range(1, MOST_PAGES + 1):
            place = {"current_page": str(number), "page_size": str(PAGE)}
            told = await self._details(api, source, channel, buyer if self._by_buyer else None, place)
            found = _list(told, "message_detail_list") or _list(told, "result")
            parsed = reading.each(found, lambda one: canonical(self._events(conversation, source, one)))
            messages = [one for one in parsed if isinstance(one, Message)]
            old = {one.message for one in messages if one.sent_at < since}
            yield [one for one in parsed if getattr(one, "message", None) not in old]
            if len(found) < PAGE or (messages and len(old) == len(messages)):
                return

    async def _details(
        self, api: Api, source: str, channel: str, buyer: str | None, place: Mapping[str, str]
    ) -> Document:
        if buyer is None:
            return await self._business(api, "querymsgdetaillist", channel_id=channel, msg_sources=source, **place)
        order = {"extern_id": channel} if source == ORDERS else {}
        return await self._business(api, "querymsgdetaillistbybuyerid", buyer_login_id=buyer, **order, **place)

    def _events(self, conversation: str, source: str, found: Document) -> Iterator[Message | Receipt]:
        author = reading.identity(found, "sender_login_id")
        ours = author == self.binding.settings.get("login_id")
        kind = reading.text(found, "message_type")
        own = reading.optional_identity(found, "id") or reading.identity(found, "message_id")
        message = Message(
            platform=self.platform,
            account=self.binding.account,
            conversation=conversation,
            message=own,
            sent_at=reading.milliseconds(found, "gmt_create" if "gmt_create" in found else "message_time"),
            direction="out" if ours else "in",
            sender=Sender(id=author, name=reading.text(found, "sender_name"), role="agent" if ours else "customer"),
            text=reading.text(found, "content"),
            order=_split(conversation)[1] if source == ORDERS else None,
            attachments=list(_pictures(own, found)) or None,
            via="poll",
            extra={"kind": kind} if kind else None,
        )
        yield message
        if ours:
            yield taken(message)

    async def _business(self, api: Api, name: str, **parameters: str) -> Document:
        """The answer of a business method, asked with the seller's token."""
        self._require_confirmed()
        (token,) = needed(self.binding.settings, "access_token")
        asked = {"method": METHODS + name, "access_token": token, **parameters}
        return await self._asked(api, "/sync", "", asked)

    async def _asked(self, api: Api, place: str, prefix: str, parameters: Mapping[str, str], *used: str) -> Document:
        key, word = needed(self.binding.settings, "app_key", "app_secret")
        common = {"app_key": key, "sign_method": self.sign_method, "timestamp": str(api.now())}
        asked = {**common, **parameters}
        sign = enclosed_md5(word, asked) if self.sign_method == MD5 else signature(word, asked, prefix)
        request = ApiRequest(
            method="POST",
            url=f"{address(self.binding, 'api_url', HOST)}{place}",
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            body=urlencode({**asked, "sign": sign}).encode(),
        )
        found = answered(checked(await api.call(request)))
        self._judge(found, *used)
        return found

    def _judge(self, found: Document, *used: str) -> None:
        """Raise what an error in an answer with status 200 means."""
        error = reading.optional_part(found, "error_response") or found
        code = reading.optional_identity(error, "code")
        if code in {None, "0", "200"}:
            return
        words = (reading.text(error, name) for name in ("sub_code", "sub_msg", "msg", "message"))
        reason = f"AliExpress answers {code}: {self._discreet(', '.join(filter(None, words)), *used)}"
        if code in DENIED:
            raise DeniedError(f"{reason}; authorise the channel anew")
        if code in BUSY:
            raise BusyError(reason)
        if code in FAILED or (reading.text(error, "sub_code") or "").startswith("isp."):
            raise UncertainError(reason)
        raise RefusedError(reason, code)

    def _discreet(self, reason: str, *used: str) -> str:
        values = self.binding.settings
        return without([*(values.get(one.name, "") for one in self.settings if one.secret), *used], reason)

    def _require_confirmed(self) -> None:
        if not says_yes(self.binding, "confirmed"):
            raise RefusedError(
                "that AliExpress still grants its message methods is unconfirmed; when your app has them, set the"
                " channel's `confirmed` to yes",
                "unconfirmed",
            )


def signature(word: str, parameters: Mapping[str, str], prefix: str = "") -> str:
    """Of the sorted names and values, in upper case; system calls put their path before ("Signature algorithm")."""
    signed = prefix + "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    return hex_of(hmac_sha256(word, signed.encode("utf-8", "replace"))).upper()


def _split(conversation: str) -> tuple[str, str]:
    """The source and the channel of a conversation."""
    source, _, channel = conversation.rpartition(":")
    return (ORDERS, channel) if source == ORDERS else (LETTERS, conversation)


def _json(told: Mapping[str, Any]) -> str:
    return msgspec.json.encode(told).decode()


def _found(answer: Any, name: str, depth: int) -> Any:
    """The value under a name, at whatever depth: gateways wrap answers differently."""
    if depth > DEEPEST or not isinstance(answer, dict):
        return None
    here = cast("Document", answer)
    if name in here:
        return here[name]
    inner = (_found(value, name, depth + 1) for value in here.values())
    return next((value for value in inner if value is not None), None)


def _list(answer: Document, name: str) -> Sequence[Any]:
    """The list under a name: as it is, as JSON in a string, or wrapped in an object that holds nothing else."""
    found = _found(answer, name, 0)
    if isinstance(found, str):
        try:
            found = cast("object", json.loads(found))
        except (ValueError, RecursionError) as wrong:
            raise UncertainError(f"{name!r} of AliExpress's answer is not JSON") from wrong
    if isinstance(found, dict):
        values = list(cast("Document", found).values())
        found = values[0] if len(values) == 1 else None
    return cast("Sequence[Any]", found) if isinstance(found, list) else ()


def _pictures(own: str, found: Document) -> Iterator[Attachment]:
    for index, one in enumerate(reading.items(found, "file_path_list")):
        paths: Document = cast("Document", one) if isinstance(one, dict) else {}
        url = reading.text(paths, "large") or reading.text(paths, "l_path")
        yield Attachment(id=f"{own}:{index}", kind="image", url=url or None)


def _touched(relations: Sequence[Any], since: int) -> Iterator[tuple[str, str | None]]:
    """The channels whose latest message is not older than that time (ms), or that do not tell, and with whom."""
    for one in relations:
        relation: Document = cast("Document", one) if isinstance(one, dict) else {}
        own = reading.optional_identity(relation, "channel_id")
        try:
            latest = reading.milliseconds(relation, "message_time")
        except UnreadableError:
            latest = since
        if own is not None and latest >= since:
            yield own, reading.optional_identity(relation, "other_login_id")


def _later(now: int, found: Document, name: str) -> int | None:
    """Seconds from now (ms), a number or its digits."""
    seconds = reading.size(found, name)
    return now + min(seconds, 10**10) * 1_000 if seconds else None
