"""Webhooks whose signatures fail: counted by channel and minute, told of once when there are too many.

Counts alone are kept of a request that was refused. A channel's signatures are well again with the next genuine
request; requests of both kinds side by side are told of every ten minutes at most, for anybody may send the wrong ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct, field

from actors.detectors.auth import SIGNATURES
from actors.errors import RetriableError
from actors.events import Auth
from actors.keys import channel_key
from connectors.contract.connector import Connector
from storage.ports import HealthStore
from storage.records import AnomalyFilter

MOST_A_MINUTE = 5
MINUTE_MS = 60_000
CALM_MS = 600_000
"""After its end a spell is told of anew only so much later, unless nothing genuine has come meanwhile."""
LOOK_MS = 300_000
"""Another process may have told of a spell: so often the store is asked, by the genuine requests themselves."""
_log = structlog.get_logger(__name__)


class _Watched(Struct):
    refused: deque[int] = field(default_factory=lambda: deque[int](maxlen=MOST_A_MINUTE + 1))
    count: int = 0
    logged_at: int | None = None
    told: bool = False
    genuine_at: int | None = None
    ended_at: int | None = None
    looked_at: int | None = None


class SignatureWatch:
    """Watches the bound channels of one process; memory is bounded by how many are bound."""

    def __init__(
        self, store: HealthStore, tell: Callable[[Connector, Sequence[Auth]], Awaitable[object]], now: Callable[[], int]
    ) -> None:
        """`tell`: takes events in (`Arrivals.take`); `now`: the time in ms."""
        self._store = store
        self._tell = tell
        self._now = now
        self._channels: dict[tuple[str, str], _Watched] = {}

    async def refused(self, connector: Connector) -> None:
        """A request to this channel was no genuine one."""
        watched, now = self._watched(connector), self._now()
        watched.refused.append(now)
        watched.count += 1
        if watched.logged_at is None or now - watched.logged_at >= MINUTE_MS:
            _log.warning("signatures fail", channel=_name(connector), refused=watched.count)
            watched.logged_at, watched.count = now, 0
        within = [at for at in watched.refused if now - at < MINUTE_MS]
        if len(within) <= MOST_A_MINUTE or watched.told or _is_calm(watched, now):
            return
        auth = _auth(connector, "revoked")
        watched.told = True  # before it is told: requests come side by side
        if not await self._is_told(connector, auth):
            watched.told = False

    async def genuine(self, connector: Connector) -> None:
        """A request to this channel was genuine. Costs next to nothing while all is well."""
        watched, now = self._watched(connector), self._now()
        watched.genuine_at = now
        if watched.looked_at is None or now - watched.looked_at >= LOOK_MS:
            watched.looked_at = now
            watched.told = watched.told or await self._was_told(connector)
        if not watched.told:
            return
        watched.told = False
        if await self._is_told(connector, _auth(connector, "ok")):
            watched.ended_at = now
            watched.refused.clear()
        else:
            watched.told = True

    def _watched(self, connector: Connector) -> _Watched:
        return self._channels.setdefault((connector.platform, connector.binding.account), _Watched())

    async def _was_told(self, connector: Connector) -> bool:
        """Whether the store holds an open spell: told of by another process, or before this one started."""
        where = AnomalyFilter(
            kind="channel_silent",
            cause="auth",
            platform=connector.platform,
            account=connector.binding.account,
            unresolved=True,
        )
        try:
            page = await self._store.anomalies(where, 5)
        except RetriableError:
            return False  # it is asked again
        return any(anomaly.evidence.get("reason") == SIGNATURES for anomaly in page.items)

    async def _is_told(self, connector: Connector, auth: Auth) -> bool:
        try:
            await self._tell(connector, [auth])
        except RetriableError as busy:
            _log.warning("signatures not told of", channel=_name(connector), reason=str(busy))
            return False
        return True


def _is_calm(watched: _Watched, now: int) -> bool:
    if watched.ended_at is None or watched.genuine_at is None:
        return False
    return now - watched.ended_at < CALM_MS and now - watched.genuine_at < MINUTE_MS


def _auth(connector: Connector, status: str) -> Auth:
    return Auth(
        platform=connector.platform,
        account=connector.binding.account,
        status="ok" if status == "ok" else "revoked",
        extra={"reason": SIGNATURES},
    )


def _name(connector: Connector) -> str:
    return channel_key(connector.platform, connector.binding.account)


__all__ = ["SignatureWatch"]
