"""`SqliteStore`: the whole storage port on one SQLite file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.ports import Archive
from storage.sqlite.accounts import SqliteAccounts
from storage.sqlite.alerts import SqliteAlerts
from storage.sqlite.bindings import SqliteBindings
from storage.sqlite.connection import Database
from storage.sqlite.contacts import SqliteContacts
from storage.sqlite.desk import SqliteDesk
from storage.sqlite.engine import SqliteEngine
from storage.sqlite.health import SqliteHealth
from storage.sqlite.identities import SqliteIdentities
from storage.sqlite.inbox import SqliteInbox
from storage.sqlite.jobs import SqliteJobs
from storage.sqlite.keys import KeyNumbers
from storage.sqlite.labels import SqliteLabels
from storage.sqlite.message_search import SqliteSearch
from storage.sqlite.mutes import SqliteMutes
from storage.sqlite.naming import SqliteNaming
from storage.sqlite.notes import SqliteNotes
from storage.sqlite.outbox import SqliteOutbox
from storage.sqlite.processes import SqliteProcesses
from storage.sqlite.prune import messages_to_archive, prune_archived, prune_chunks, prune_messages
from storage.sqlite.settings import SqliteSettings
from storage.sqlite.shop_orders import SqliteShopOrders
from storage.sqlite.sweeps import SqliteSweeps
from storage.sqlite.teams import SqliteTeams
from storage.sqlite.templates import SqliteTemplates
from storage.sqlite.verify import problems_of_file, problems_of_tables
from storage.sqlite.views import SqliteViews
from storage.sqlite.workload import SqliteWorkload


class SqliteStore(
    SqliteEngine,
    SqliteHealth,
    SqliteProcesses,
    SqliteInbox,
    SqliteSearch,
    SqliteSettings,
    SqliteMutes,
    SqliteBindings,
    SqliteAccounts,
    SqliteOutbox,
    SqliteJobs,
    SqliteSweeps,
    SqliteShopOrders,
    SqliteIdentities,
    SqliteNaming,
    SqliteViews,
    SqliteAlerts,
    SqliteContacts,
    SqliteDesk,
    SqliteLabels,
    SqliteTeams,
    SqliteNotes,
    SqliteTemplates,
    SqliteWorkload,
):
    """`storage.ports.Store` on the file at `path`; without one, on a private file that is gone after `close`."""

    def __init__(self, path: Path | str | None = None, *, busy_ms: int = 5_000) -> None:
        self._temporary = TemporaryDirectory(prefix="weir-") if path is None else None
        place = Path(self._temporary.name) / "store.db" if self._temporary else Path(path or "")
        self._db = Database(place, busy_ms=busy_ms)
        self._numbers = KeyNumbers()

    async def open(self) -> None:
        """Connect, create or migrate the schema. Raises StoreDamagedError or ConfigurationError."""
        await self._db.open()

    async def close(self) -> None:
        """Finish writes and disconnect."""
        await self._db.close()
        if self._temporary:
            await asyncio.to_thread(self._temporary.cleanup)

    async def sync(self) -> None:
        """Return when the disk holds every save so far, even through a power cut."""
        await self._db.sync()

    async def prune(self, before: int, archive: Archive | None = None) -> int:
        """Forget messages, minutes, resolved anomalies, finished clocks older than `before`; returns rows deleted.

        Messages are put into the archive before they are deleted. Of the outbox and the jobs what is settled goes.
        """
        # Small transactions, so that saves get their turn in between.
        deleted = 0
        if archive is None:
            while rows := await self._db.write(prune_messages, before):
                deleted += rows
        else:
            while old := await self._db.read(messages_to_archive, before):
                await archive.put(list(old.values()))
                deleted += await self._db.write(prune_archived, before, old)
        for chunk in prune_chunks(before):
            while rows := await self._db.write(chunk):
                deleted += rows
        self._numbers.invalidate()
        return deleted

    async def check(self) -> list[str]:
        """What is wrong with the database, as sentences that say how to mend it; empty when all is well."""
        on_disk = await asyncio.to_thread(problems_of_file, self._db.path)
        return [*on_disk, *await self._db.read(problems_of_tables, self._db.path)]
