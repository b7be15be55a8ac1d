"""Takes platforms' webhooks in: genuine or not, which events, and all of it durable before the platform is answered.

What is genuine and cannot be read is journalled as rejected with its bytes, and answered like the rest: platforms
repeat what is refused, or switch the webhook off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Literal, TypeAlias

import msgspec
import structlog

from actors.errors import RejectedError, RetriableError
from actors.events import Entry, Rejected
from actors.intake import parse_event, stamp
from connectors.contract.connector import (
    Answer,
    Connector,
    Parsed,
    Refused,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from services.errors import NotFoundError
from services.ingest import MOST_RAW, check_ahead
from services.secrets import SecretsError
from streams.ports import Gateway

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
Outcome: TypeAlias = Literal["accepted", "rejected", "handshake", "bad_signature"]
NOT_BOUND = (
    "no channel {platform}/{account} is bound here; `weir channel add` binds one, `weir channel list` shows them"
)
SHOWN = 60
_log = structlog.get_logger(__name__)


class Webhooks:
    """The way in for platforms."""

    def __init__(self, gateway: Gateway, find: Find) -> None:
        """`find`: the connector of a bound channel by platform and account; None when there is none."""
        self._gateway = gateway
        self._find = find
        self.observe: Callable[[Outcome, int], None] | None = None
        """Told what became of a request, and of how many of its events, for metrics."""

    async def receive(self, platform: str, account: str, request: WebhookRequest) -> Answer:
        """Take a request in; the answer may go out at once: everything is durable.

        Raises NotFoundError, SignatureError, or RetriableError (OverloadedError and LogFullError among them); then
        nothing of it was kept.
        """
        connector = await self._bound(platform, account)
        try:
            answer = connector.handshake(request)
            if answer is not None:
                self._tell("handshake", 1)
                return answer
            connector.verify(request)
        except SignatureError:
            self._tell("bad_signature", 1)
            raise
        entries = list(_entries(connector, request, self._gateway.now()))
        if entries:
            await self._gateway.submit(entries)
        rejected = sum(isinstance(entry, Rejected) for entry in entries)
        self._tell("accepted", len(entries) - rejected)
        self._tell("rejected", rejected)
        return connector.accepted

    async def _bound(self, platform: str, account: str) -> Connector:
        try:
            connector = await self._find(platform, account)
        except SecretsError as wrong:
            # Why is for whoever runs Weir: the one who asks may be anybody.
            shown = f"{platform[:SHOWN]}/{account[:SHOWN]}"
            _log.warning("webhook not served", channel=shown, reason=str(wrong))
            raise RetriableError("this channel cannot be served now; Weir's log says why") from None
        if connector is None:
            raise NotFoundError(NOT_BOUND.format(platform=platform[:SHOWN], account=account[:SHOWN]))
        return connector

    def _tell(self, outcome: Outcome, count: int) -> None:
        if self.observe is not None and count:
            self.observe(outcome, count)


def _entries(connector: Connector, request: WebhookRequest, now: int) -> Iterator[Entry]:
    """What a genuine request adds to the log."""
    try:
        parsed = connector.parse(request)
    except UnreadableError as wrong:
        parsed = [Refused(request.body, str(wrong))]
    for one in parsed:
        yield _entry(connector, one, now)


def _entry(connector: Connector, parsed: Parsed, now: int) -> Entry:
    if isinstance(parsed, Refused):
        return _rejected(connector, parsed.raw, parsed.reason, now)
    raw = msgspec.json.encode(parsed)
    try:
        event = check_ahead(parse_event(raw, need_at=False), now)  # held to what everybody's events are held to
    except RejectedError as wrong:
        return _rejected(connector, raw, str(wrong), now)
    stamp(event, now)
    return event


def _rejected(connector: Connector, raw: bytes, reason: str, now: int) -> Rejected:
    account = connector.binding.account
    return Rejected(at=now, reason=reason, raw=raw[:MOST_RAW], platform=connector.platform, account=account)
