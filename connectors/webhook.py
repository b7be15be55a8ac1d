"""Anything else: canonical events sent by a program of yours, signed as "Standard Webhooks" describes.

The body is one event, an array of them, or one a line. `platform` and `account` need not be written, nor `event` (the
webhook's id and the place within its body stand in). Weir sees the events when they come: an `at` is not heeded.
Of an outbound message the program tells the fate itself: no receipt is made up. A message may tell `aliases`, other
names by which its sender is known (a number beside an id without one): what comes under any of them is one
conversation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.events import Clock, Event, Message
from actors.intake import parse_event, split_batch
from connectors.contract.connector import (
    Binding,
    Capabilities,
    Connector,
    OnePerson,
    Parsed,
    Refused,
    Setting,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.signatures import base64_of, secret

TOLERANCE_S = 300
LONGEST_ID = 1_000
MOST_ALIASES = 8
PREFIX = "whsec_"


class GenericWebhook(Connector):
    """Events of one channel from a program that knows Weir's own words."""

    platform = "webhook"
    aliases = True
    settings = (
        Setting(
            name="secret",
            about="what both sides sign with: whsec_ and 24 to 64 random bytes in base64; "
            "while it is being changed, the new and the old one with a space between",
        ),
    )
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "delivered", "read", "failed"}), edits=True, deletes=True, echoes=True
    )

    def __init__(self, binding: Binding, now: Callable[[], float] = time.time) -> None:
        """`now`: the clock that timestamps are held against, in seconds since 1970."""
        super().__init__(binding)
        self._now = now

    def verify(self, request: WebhookRequest) -> None:
        """One of the signatures covers id, timestamp and body, and the timestamp is fresh; raises SignatureError."""
        given, sent_at, claims = (_header(request, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
        if not sent_at.isascii() or not sent_at.isdigit() or len(sent_at) > len("4102444800"):
            raise SignatureError("webhook-timestamp is no whole number of seconds since 1970")
        if abs(self._now() - int(sent_at)) > TOLERANCE_S:
            raise SignatureError(
                f"webhook-timestamp is more than {TOLERANCE_S} s away from Weir's clock; is the sender's clock right?"
            )
        signed = f"{given}.{sent_at}.".encode("utf-8", "replace") + request.body
        genuine = [_signature(one, signed) for one in secret(self.binding.settings, "secret").split()]
        claimed = [claim.encode("utf-8", "replace") for claim in claims.split()]
        equal = [hmac.compare_digest(one, other) for one in claimed for other in genuine]  # all of them, found or not
        if not any(equal):
            raise SignatureError("webhook-signature does not match; do both sides hold the same secret?")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """Every event of the body; one that breaks the rules is refused and harms no other. Raises UnreadableError."""
        try:
            found = list(split_batch(request.body, request.headers.get("content-type")))
        except RejectedError as wrong:
            raise UnreadableError(str(wrong)) from wrong
        return list(self._each(found, request.headers.get("webhook-id", "")[:LONGEST_ID]))

    def _each(self, found: list[tuple[int, bytes]], given: str) -> Iterator[Parsed]:
        for index, raw in found:
            try:
                event = self._event(raw, f"{given}/{index}")
            except RejectedError as wrong:
                yield Refused(raw, str(wrong))
            else:
                yield from _people(event)
                yield event

    def _event(self, raw: bytes, key: str) -> Event:
        event = parse_event(self._with_channel(raw), need_at=False)
        if isinstance(event, Clock):
            raise RejectedError("a `clock` belongs into traces: Weir has its own")
        for name, ours in (("platform", self.platform), ("account", self.binding.account)):
            if getattr(event, name) != ours:
                raise RejectedError(f"`{name}` is not this channel's; leave it out, or write {ours!r}")
        if isinstance(event, Message):
            return replace(event, at=None, via=event.via or "push")
        return replace(event, at=None, event=event.event or key)

    def _with_channel(self, raw: bytes) -> bytes:
        """The channel written before all else: of two fields of a name the later holds, so that an event's own does."""
        inner = raw.removeprefix(b"{")
        if inner == raw:
            return raw
        channel = msgspec.json.encode({"platform": self.platform, "account": self.binding.account})
        return channel[:-1] + (b"" if inner.lstrip()[:1] == b"}" else b",") + inner


def _people(event: Event) -> Iterator[OnePerson]:
    """The names of a sender; one alone matters where it is the conversation's, too."""
    if not isinstance(event, Message) or event.sender is None or event.sender.id is None or event.direction == "out":
        return
    extra = cast("Mapping[str, Any]", event.extra or {})
    told = extra.get("aliases")
    listed = cast("list[Any]", told) if isinstance(told, list) else []
    others = [name for name in listed if isinstance(name, str) and 0 < len(name) <= LONGEST_ID][:MOST_ALIASES]
    if others or event.conversation == event.sender.id:
        yield OnePerson(tuple(dict.fromkeys((event.sender.id, *others))))


def _header(request: WebhookRequest, name: str) -> str:
    found = request.headers.get(name)
    if not found:
        raise SignatureError(f"the header {name} is missing; sign requests as Standard Webhooks describes")
    return found


def _signature(word: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(word.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise SignatureError("the setting `secret` is not whsec_ and base64; make a new one") from wrong
    if not key:
        raise SignatureError("the setting `secret` is empty; make one")
    return f"v1,{base64_of(hmac.digest(key, signed, hashlib.sha256))}".encode()
