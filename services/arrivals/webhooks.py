"""Takes platforms' webhooks in: genuine or not, which events, and all of it durable before the platform is answered.

What is genuine and cannot be read is journalled as rejected with its bytes, and answered like the rest: platforms
repeat what is refused, or switch the webhook off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

import structlog

from actors.errors import RetriableError
from connectors.contract.calling import Api
from connectors.contract.connector import (
    Answer,
    Connector,
    Parsed,
    Refused,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from services.arrivals.arrivals import Arrivals
from services.channels.secrets import SecretsError
from services.channels.signature_watch import SignatureWatch
from services.errors import NotFoundError

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
Apis: TypeAlias = Callable[[Connector], Api]
Having: TypeAlias = Callable[[str, str, str], Awaitable[Sequence[str]]]
Outcome: TypeAlias = Literal["accepted", "rejected", "handshake", "bad_signature"]
NOT_BOUND = (
    "no channel {platform}/{account} is bound here; `weir channel add` binds one, `weir channel list` shows them"
)
SHOWN = 60
_log = structlog.get_logger(__name__)


class Webhooks:
    """The way in for platforms."""

    def __init__(
        self,
        arrivals: Arrivals,
        find: Find,
        *,
        apis: Apis | None = None,
        having: Having | None = None,
        signatures: SignatureWatch | None = None,
    ) -> None:
        """`find`: the connector of a bound channel by platform and account; None when there is none.

        `apis`: the way to a connector's platform, for those that must `prepare`; without it their webhooks are put off.
        `having`: the accounts of a platform with this value of an open setting, for apps whose accounts share an
        address; without it a request for another account is its connector's to refuse. `signatures`: told of what was
        refused and of what was genuine.
        """
        self._arrivals = arrivals
        self._find = find
        self._apis = apis
        self._having = having
        self._signatures = signatures
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
            await self._prepare(connector, request)
            connector.verify(request)
        except SignatureError:
            self._tell("bad_signature", 1)
            if self._signatures is not None:
                await self._signatures.refused(connector)
            raise
        if self._signatures is not None:
            await self._signatures.genuine(connector)
        connector = await self._meant(connector, request)
        taken = await self._arrivals.take(connector, _parsed(connector, request))
        self._tell("accepted", taken.accepted)
        self._tell("rejected", taken.rejected)
        return connector.accepted

    async def _prepare(self, connector: Connector, request: WebhookRequest) -> None:
        if not connector.prepares:
            return
        if self._apis is None:
            raise RetriableError(f"this process cannot reach {connector.platform}, which proves its requests by a key")
        await connector.prepare(request, self._apis(connector))

    async def _meant(self, connector: Connector, request: WebhookRequest) -> Connector:
        """The connector of the account that a genuine request is for, when it is of the same app; else the same one."""
        shared = connector.shared
        told = connector.route(request) if shared else None
        if shared is None or told is None or self._having is None:
            return connector
        ours = connector.binding.settings
        if ours.get(shared.by) == told:
            return connector
        for account in await self._having(connector.platform, shared.by, told):
            other = await self._bound(connector.platform, account)
            if all(ours.get(name) and ours.get(name) == other.binding.settings.get(name) for name in shared.app):
                return other
        return connector

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


def _parsed(connector: Connector, request: WebhookRequest) -> Sequence[Parsed]:
    """What a genuine request tells; one that cannot be read as a whole is refused as a whole."""
    try:
        return connector.parse(request)
    except UnreadableError as wrong:
        return [Refused(request.body, str(wrong))]
