"""What has to be done now and then: forget sessions that are over, and data older than its retention.

Where there is an archive, messages are put into it before they are forgotten.
"""

import asyncio
from collections.abc import Callable

import structlog

from actors.errors import RetriableError
from services.files.retention import forget_files
from services.health.signs import FORGOTTEN_AFTER_MS
from services.people.accounts import Accounts
from storage.channel_ports import FileStore
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
        files: FileStore | None = None,
    ) -> None:
        self._store = store
        self._log = log
        self._accounts = accounts
        self._now = now
        self._retention_ms = retention_days * DAY_MS
        self._archive = archive
        self._files = files
        self._files_at: int | None = None

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
        files = await self._forget_files(before, ours) if ours() else 0
        if records or rows or files:
            change = {"before": before, "records": records, "rows": rows, "files": files}
            await self._store.append_audit(
                AuditRow(at=self._now(), who="weir", what="pruned", subject=PRUNED, after=change)
            )
            _log.info("old data forgotten", records=records, rows=rows, files=files)

    async def _forget_files(self, before: int, ours: Callable[[], bool]) -> int:
        """Once a day: who names a file is asked of everything that is held. After what named them was forgotten."""
        now = self._now()
        if self._files is None or (self._files_at is not None and now - self._files_at < DAY_MS):
            return 0
        forgotten = await forget_files(self._files, self._store, before, ours)
        self._files_at = now
        return forgotten
