"""Weir's own chat on a shop's pages: what a channel of it is set to, and what its visitors may write.

The widget in the browser speaks the protocol of docs/webchat.md. A shop's own server or app may speak for its users by
the channel's webhook instead, signed with the channel's secret. A reply is out once it is kept: widgets read it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from actors.calendar import Calendar, Shift, check_calendar
from actors.errors import ConfigurationError, RejectedError
from actors.events import Attachment, Message, Sender
from connectors.contract.calling import Api
from connectors.contract.connector import (
    Binding,
    Capabilities,
    Connector,
    Parsed,
    Setting,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.outgoing import Limits, Outgoing, Sent
from connectors.contract.signatures import hex_of, hmac_sha256, require, secret

LONGEST_TEXT = 4_000
LARGEST_FILE = 10 * 2**20
MOST_FILES = 5
MOST_POSTS = 20
SHORTEST_SECRET = 24
SIGNATURE = "x-weir-signature"
FILE_KINDS = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})
_UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")
_MIDNIGHT = 24 * 60

Name = Annotated[str, Meta(min_length=1, max_length=200)]
PostId = Annotated[str, Meta(pattern=_UUID7)]
Read = TypeVar("Read")


class Visitor(Struct, frozen=True, kw_only=True):
    """Who writes. `id`: of the shop's user, or one that Weir gave; `conversation`: the one he has on the channel."""

    id: str
    conversation: str
    name: str | None = None


class ChatFile(Struct, frozen=True, kw_only=True):
    """A file that was uploaded before; `digest`: SHA-256 of its content in hexadecimal, `size` in bytes."""

    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    name: Name
    mime: Annotated[str, Meta(min_length=3, max_length=100)]
    size: Annotated[int, Meta(ge=1, le=LARGEST_FILE)]


class Contact(Struct, frozen=True, kw_only=True):
    """How a visitor can be reached when nobody is there."""

    name: Annotated[str, Meta(max_length=200)] = ""
    email: Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class Post(Struct, frozen=True, kw_only=True):
    """One message as a widget or a shop's server sends it. `id`: a UUIDv7 made by whoever sends it.

    `age`: how long ago it was written (ms), by the sender's own clock; `at`: when (ms), from servers; `page`: where.
    """

    id: PostId
    text: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""
    age: Annotated[int, Meta(ge=0)] = 0
    at: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    files: Annotated[list[ChatFile], Meta(max_length=MOST_FILES)] = msgspec.field(default_factory=list[ChatFile])
    contact: Contact | None = None
    page: Annotated[str, Meta(max_length=1_000)] | None = None
    locale: Annotated[str, Meta(max_length=35)] | None = None


class _User(Struct, frozen=True, kw_only=True):
    id: Name
    name: Name | None = None


class _Relayed(Struct, frozen=True, kw_only=True):
    user: _User
    messages: Annotated[list[Post], Meta(min_length=1, max_length=MOST_POSTS)]


class Webchat(Connector):
    """The chat on the pages of one shop."""

    platform = "webchat"
    settings = (
        Setting(
            name="secret",
            about=f"a word of your own choice, {SHORTEST_SECRET} letters or more; it proves who your users are",
        ),
        Setting(
            name="origins",
            about="where your pages are, such as https://shop.example, with blanks between; none other may chat",
            secret=False,
            required=False,
        ),
        Setting(
            name="title", about="what stands above the chat, such as your shop's name", secret=False, required=False
        ),
        Setting(
            name="offline",
            about="yes when nobody is there: visitors leave an address; auto outside the hours; no without it",
            secret=False,
            required=False,
        ),
        Setting(
            name="hours",
            about="when somebody is there, such as mon-fri 09:00-18:00, sat 10:00-14:00, Asia/Shanghai",
            secret=False,
            required=False,
        ),
        Setting(
            name="users_only",
            about="yes when only users who are logged in to the shop may chat",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted", "delivered", "read"}), sends=True, idempotent=True)
    embed = '<script async src="{origin}/chat/{account}/widget.js"></script>'
    """What goes into the shop's pages, before the end of their body."""
    limits = Limits(text=LONGEST_TEXT, files=MOST_FILES, file_bytes=25 * 2**20)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        values = binding.settings
        word = values.get("secret", "").strip()
        if word and len(word) < SHORTEST_SECRET:
            raise RejectedError(
                f"settings: secret has {SHORTEST_SECRET} letters or more; `openssl rand -hex 32` makes one"
            )
        self.origins = frozenset(_origin(one) for one in values.get("origins", "").replace(",", " ").split())
        self.title = values.get("title", "").strip()[:80]
        self.users_only = _one_of("users_only", values.get("users_only", ""), ("no", "yes")) == "yes"
        self._offline = _one_of("offline", values.get("offline", ""), ("no", "yes", "auto"))
        self._hours = _calendar(values.get("hours", ""))
        if self._offline == "auto" and not self._hours.shifts:
            raise RejectedError("settings: offline is auto, so hours must say when somebody is there")

    def away(self, now: int) -> bool:
        """Whether nobody is there at `now` (ms)."""
        if self._offline == "auto":
            return self._hours.elapsed(now, now + 1) == 0
        return self._offline == "yes"

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the body; raises SignatureError."""
        genuine = hex_of(hmac_sha256(secret(self.binding.settings, "secret"), request.body))
        require(request.headers.get(SIGNATURE), genuine, where="X-Weir-Signature")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """The messages of one of the shop's users, sent by the shop's own server. Raises UnreadableError."""
        relayed = read(request.body, _Relayed)
        user = user_of(relayed.user.id, relayed.user.name)
        parsed: list[Parsed] = []
        for post in relayed.messages:
            if post.at is None:
                raise UnreadableError("messages: each needs `at`, when it was written, in ms since 1970")
            if post.files:
                raise UnreadableError("messages: files are taken from widgets alone")
            parsed.append(message_of(self.binding.account, user, post, post.at))
        return parsed

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Widgets read what is kept, by themselves: there is nothing left to do. Never raises."""
        return Sent(message=message.id, at=api.now())


def read(body: bytes, kind: type[Read]) -> Read:
    """A body as a record; raises UnreadableError that says what is wrong with it."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise UnreadableError(f"the body does not fit: {wrong}") from wrong


def user_of(user_id: str, name: str | None) -> Visitor:
    """A logged-in user of the shop; his conversation's id tells nothing of him."""
    return Visitor(id=user_id, conversation=f"u-{sha256(user_id.encode()).hexdigest()[:32]}", name=name)


def message_of(account: str, visitor: Visitor, post: Post, sent_at: int, seq: int | None = None) -> Message:
    """What a visitor wrote at `sent_at` (ms), as an event. Raises UnreadableError when it says nothing."""
    if not post.text.strip() and not post.files:
        raise UnreadableError("the message is empty")
    files = [
        Attachment(id=file.digest, kind=file.mime.partition("/")[0], mime=file.mime, size=file.size)
        for file in {file.digest: file for file in post.files}.values()
    ]
    extra: dict[str, Any] = {}
    if post.contact is not None:
        extra["contact"] = msgspec.to_builtins(post.contact)
    if post.page and _is_web(post.page):
        extra["page"] = post.page
    if post.locale:
        extra["locale"] = post.locale
    if post.files:
        extra["files"] = {file.digest: file.name for file in post.files}
    name = visitor.name or (post.contact.name if post.contact else None)
    return Message(
        platform=Webchat.platform,
        account=account,
        conversation=visitor.conversation,
        message=post.id,
        sent_at=sent_at,
        direction="in",
        sender=Sender(id=visitor.id, name=name or None, role="customer"),
        text=post.text or None,
        seq=seq,
        attachments=files or None,
        extra=extra or None,
    )


def _is_web(address: str) -> bool:
    """Whether it is the address of a web page."""
    try:
        return urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return False


def _origin(given: str) -> str:
    """An origin as browsers write it; raises RejectedError."""
    try:
        parts = urlsplit(given.lower().rstrip("/"))
        good = parts.scheme in {"http", "https"} and parts.hostname and not parts.path and "@" not in parts.netloc
        port = parts.port
    except ValueError:
        good, port, parts = False, None, urlsplit("")
    if not good or parts.query or parts.fragment:
        raise RejectedError(f"settings: origins: {given[:80]!r} is not like https://shop.example")
    usual = port == {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.rpartition(':')[0] if usual else parts.netloc}"


def _one_of(name: str, given: str, known: tuple[str, ...]) -> str:
    found = given.strip() or known[0]
    if found not in known:
        raise RejectedError(f"settings: {name} is one of {', '.join(known)}")
    return found


def _calendar(given: str) -> Calendar:
    """Hours such as `mon-fri 09:00-18:00, sat 10:00-14:00, Asia/Shanghai`; raises RejectedError."""
    zone, shifts = "UTC", list[Shift]()
    for part in filter(None, (part.strip() for part in given.split(","))):
        found = _HOURS.fullmatch(part.lower())
        if found is None:
            zone = part
            continue
        first, last, *clock = found.groups()
        hour, minute, until_hour, until_minute = map(int, clock)
        start, end = 60 * hour + minute, 60 * until_hour + until_minute
        if {first, last or first} - set(_DAYS) or not 0 <= start < end <= _MIDNIGHT:
            raise RejectedError(f"settings: hours: {part[:60]!r} is not like mon-fri 09:00-18:00")
        low, high = _DAYS.index(first), _DAYS.index(last or first)
        days = range(low, high + 1) if low <= high else [*range(low, len(_DAYS)), *range(high + 1)]
        shifts += [Shift(day, start, end) for day in days]
    try:
        return check_calendar(Calendar(zone=zone, shifts=tuple(shifts)))
    except ConfigurationError as wrong:
        raise RejectedError(f"settings: hours: {wrong}") from wrong


__all__ = [
    "FILE_KINDS",
    "LARGEST_FILE",
    "LONGEST_TEXT",
    "MOST_POSTS",
    "ChatFile",
    "Post",
    "Visitor",
    "Webchat",
    "message_of",
    "read",
    "user_of",
]
