"""Draws what platforms keep waiting for a channel: a queue of notifications, updates that no webhook is sent.

What is drawn is confirmed only when it is durable here, so whatever ends in between comes again. That a channel's
sign-in holds no more is told by its probe, not here: a queue may be another account's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog

from actors.errors import PermanentError, RetriableError
from actors.keys import channel_key
from connectors.contract.calling import BusyError
from connectors.contract.connector import Connector
from services.arrivals.arrivals import Arrivals
from services.arrivals.readers import Channels, Readers
from services.channels.platform_api import Apis
from services.masking import mask_text
from streams.coordination.locks import Locks

IDLE_S = 1.0
"""After a draw that brought nothing: where the platform waits for something to come, that is long already."""
PATIENCE_S = 120.0
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 2.0, 300.0
_log = structlog.get_logger(__name__)


class Queues:
    """Draws from every bound channel that has a queue; any number of processes may run one."""

    def __init__(
        self,
        *,
        channels: Channels,
        arrivals: Arrivals,
        apis: Apis,
        locks: Locks,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._arrivals = arrivals
        self._apis = apis
        self._sleep = sleep
        self._readers = Readers("queue", channels=channels, locks=locks, wanted=_queued, read=self.read, sleep=sleep)
        self.observe: Callable[[Literal["drawn", "failed"], int], None] | None = None
        """Told of things drawn and of attempts that failed, for metrics."""

    async def run(self) -> None:
        """For ever."""
        await self._readers.run()

    async def read(self, connector: Connector) -> None:
        """Draw from one channel's queue for ever; whatever goes wrong is tried again, less and less often."""
        failures = 0
        while True:
            after = 0.0
            try:
                async with asyncio.timeout(PATIENCE_S):
                    drawn = await self.draw(connector)
                failures = 0
                if not drawn:
                    await self._sleep(IDLE_S)
                continue
            except BusyError as busy:
                after = busy.retry_after
                self._failed(connector, str(busy))
            except (RetriableError, PermanentError, TimeoutError) as wrong:
                self._failed(connector, str(wrong) or f"it took longer than {PATIENCE_S:g} s")
            except Exception as fault:  # noqa: BLE001 # one channel's fault is its own
                _log.exception("queue_reading_failed", channel=_name(connector))
                self._failed(connector, f"a fault of this version ({type(fault).__name__}): see the log")
            failures += 1
            await self._sleep(max(after, min(FIRST_BACKOFF_S * 2 ** min(failures - 1, 16), LONGEST_BACKOFF_S)))

    async def draw(self, connector: Connector) -> int:
        """Take in what waits, then confirm it; how much it was. Raises the errors of `calling` and RetriableError."""
        api = self._apis.of(connector)
        drawn = await connector.draw(api)
        if drawn.parsed:
            await self._arrivals.take(connector, drawn.parsed, via="push")
        if drawn.done:
            await connector.confirm(drawn, api)
        count = len(drawn.done)
        if self.observe is not None and count:
            self.observe("drawn", count)
        return count

    def _failed(self, connector: Connector, reason: str) -> None:
        if self.observe is not None:
            self.observe("failed", 1)
        _log.warning("queue_cannot_be_read", channel=_name(connector), reason=mask_text(reason)[:500])


def _queued(connector: Connector) -> Connector | None:
    return connector if connector.queued() else None


def _name(connector: Connector) -> str:
    return channel_key(connector.platform, connector.binding.account)


__all__ = ["Queues"]
