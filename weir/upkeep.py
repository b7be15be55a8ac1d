"""What has to be done now and then: forget sessions that are over, and data older than its retention.

Where there is an archive, messages are put into it before they are forgotten.
"""

import asyncio
from collections.abc import Callable

import structlog

from actors.errors import RetriableError
from services.health.signs import FORGOTTEN_AFTER_MS
from services.people.accounts import Accounts
from storage.ports import Archive, Store
from storage.records import AuditRow
from streams.embedded.log import EmbeddedLog

HOUR_S = 3600.0
DAY_MS = 86_400_000
PRUNED = "retention"
_log = structlog.get_logger(__name__)


class Upkeep:
    """Runs once an hour, in one process of a deployment."""

    def __init__(
        self,
        *,
        store: Store,
        log: EmbeddedLog | None,
        accounts: Accounts,
        now: Callable[[], int],
        retention_days: int,
        archive: Archive | None = None,
    ) -> None:
        self._store = store
        self._log = log
        self._accounts = accounts
        self._now = now
        self._retention_ms = retention_days * DAY_MS
        self._archive = archive

    async def run(self, ours: Callable[[], bool] = lambda: True) -> None:
        """For ever; what fails for a moment is done an hour later. `ours`: whether it is still this process's turn."""
        while True:
            try:
                await self.once(ours)
            except RetriableError as wrong:
                _log.warning("upkeep is put off for an hour", reason=str(wrong))
            await asyncio.sleep(HOUR_S)

    async def once(self, ours: Callable[[], bool] = lambda: True) -> None:
        """Everything now. The log is cut first, so that whatever the store still misses is known to be old.

        Doing any of it twice is harmless; `ours` is asked between the steps so that it does not come to that.
        """
        await self._accounts.forget_expired()
        await self._store.forget_beats(self._now() - FORGOTTEN_AFTER_MS)
        before = self._now() - self._retention_ms
        records = await self._log.trim(before) if self._log is not None and ours() else 0
        rows = await self._store.prune(before, self._archive) if ours() else 0
        rows += await self._store.forget_alerts(before) if ours() else 0
        if records or rows:
            change = {"before": before, "records": records, "rows": rows}
            await self._store.append_audit(
                AuditRow(at=self._now(), who="weir", what="pruned", subject=PRUNED, after=change)
            )
            _log.info("old data forgotten", records=records, rows=rows)
