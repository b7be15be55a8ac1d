"""`MongoStore`: the whole storage port on one MongoDB database."""

from __future__ import annotations

from storage.mongodb.accounts import MongoAccounts
from storage.mongodb.address import read_address
from storage.mongodb.alerts import MongoAlerts
from storage.mongodb.audits import AUDITED, deliver
from storage.mongodb.bindings import MongoBindings
from storage.mongodb.connection import Database
from storage.mongodb.contacts import MongoContacts
from storage.mongodb.desk import MongoDesk, deliver_desks
from storage.mongodb.engine import MongoEngine
from storage.mongodb.files import MongoFiles
from storage.mongodb.health import MongoHealth
from storage.mongodb.identities import MongoIdentities
from storage.mongodb.inbox import MongoInbox
from storage.mongodb.jobs import MongoJobs
from storage.mongodb.labels import MongoLabels
from storage.mongodb.message_search import MongoSearch
from storage.mongodb.mutes import MongoMutes
from storage.mongodb.naming import MongoNaming
from storage.mongodb.notes import MongoNotes, deliver_notes
from storage.mongodb.outbox import MongoOutbox
from storage.mongodb.processes import MongoProcesses
from storage.mongodb.prune import prune
from storage.mongodb.schema import prepare
from storage.mongodb.settings import MongoSettings
from storage.mongodb.shop_orders import MongoShopOrders
from storage.mongodb.sweeps import MongoSweeps
from storage.mongodb.teams import MongoTeams
from storage.mongodb.templates import MongoTemplates
from storage.mongodb.verify import problems
from storage.mongodb.views import MongoViews
from storage.mongodb.workload import MongoWorkload
from storage.ports import Archive

TIMEOUT_S = 10.0


class MongoStore(
    MongoEngine,
    MongoHealth,
    MongoProcesses,
    MongoInbox,
    MongoSearch,
    MongoSettings,
    MongoMutes,
    MongoBindings,
    MongoAccounts,
    MongoOutbox,
    MongoJobs,
    MongoSweeps,
    MongoShopOrders,
    MongoIdentities,
    MongoNaming,
    MongoViews,
    MongoAlerts,
    MongoContacts,
    MongoDesk,
    MongoLabels,
    MongoTeams,
    MongoNotes,
    MongoTemplates,
    MongoWorkload,
):
    """`storage.ports.Store` on the database that `url` names (`weir` where it names none).

    No question to the server takes longer than `timeout_s`. Raises ConfigurationError for a URL that is none.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__()
        self._db = Database(read_address(url), timeout_s=timeout_s)

    @property
    def place(self) -> str:
        """Where the database is, without user name and password."""
        return self._db.place

    @property
    def files(self) -> MongoFiles:
        """Files kept in the same database, for as long as this is open."""
        return MongoFiles(self._db)

    async def open(self) -> None:
        """Connect, create or migrate the schema. Raises ConfigurationError or StoreBusyError."""
        await self._db.open()
        try:
            await prepare(self._db)
            await deliver(self._db, *AUDITED)
            await deliver_desks(self._db)
            await deliver_notes(self._db)
        except BaseException:
            await self._db.close()
            raise

    async def close(self) -> None:
        """Disconnect."""
        await self._db.close()

    async def sync(self) -> None:
        """Every save is durable when it returns; there is nothing to wait for."""

    async def prune(self, before: int, archive: Archive | None = None) -> int:
        """Forget messages, minutes, resolved anomalies, finished clocks older than `before`; returns rows deleted.

        Messages are put into the archive before they are deleted. Of the outbox and the jobs what is settled goes.
        """
        await deliver(self._db, *AUDITED)
        await deliver_desks(self._db)
        await deliver_notes(self._db)
        return await prune(self._db, before, archive)

    async def check(self) -> list[str]:
        """What is wrong with the database, as sentences that say how to mend it; empty when all is well."""
        return await problems(self._db)
