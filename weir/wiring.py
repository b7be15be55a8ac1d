"""The composition root: the one place where concrete parts meet. `build` makes them, `start` and `stop` order them.

Start: log, store, thresholds, engines, monitor, then the web. Stop is the other way round: no new requests, what is
accepted becomes durable, what is applied is saved, then everything is closed.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI

from api.app import create_api
from api.settings import WebSettings
from services.accounts import Accounts
from services.anomalies import Anomalies
from services.audit_log import AuditLog
from services.conversations import Conversations
from services.dead_letters import DeadLetters
from services.heartbeats import Heartbeats
from services.incident_desk import IncidentDesk
from services.ingest import Ingest
from services.monitor import Monitor
from services.mutes import Mutes
from services.parts import Services
from services.preview import Preview
from services.pulse import Pulse
from services.stats import Stats
from services.thresholds import Thresholds
from services.tokens import Tokens
from services.trace import Trace
from services.watchdog import Watchdog
from storage.sqlite import SqliteStore
from streams.app import Runtime
from streams.bus import LocalBus
from streams.embedded.log import EmbeddedLog
from streams.gateway import EmbeddedGateway
from weir.config import Config
from weir.policies import policies_of
from weir.screens import ScreenBus
from weir.upkeep import Upkeep
from weir.version import VERSION
from weir.vitals import Vitals

LOG_FILE = "log.db"
STORE_FILE = "store.db"
VERDICT_FILE = "watchdog.json"
MIB = 2**20
_log = structlog.get_logger(__name__)


class Weir:
    """All parts of one process, opened but not started; see `running`."""

    def __init__(self, config: Config, store: SqliteStore, log: EmbeddedLog) -> None:
        self.config = config
        self.store = store
        self.log = log
        self.gateway = EmbeddedGateway(log)
        now = self.gateway.now
        self.bus = LocalBus()
        self.accounts = Accounts(store, now)
        self.tokens = Tokens(store, now)
        self.thresholds = Thresholds(store, now)
        self.heartbeats = Heartbeats(now)
        self.watchdog = Watchdog(self.heartbeats, now, config.data / VERDICT_FILE)
        self.runtime = self._runtime()
        self.pulse = self._pulse()
        self.monitor = self._monitor()
        self.vitals = Vitals(
            store=store,
            gateway=self.gateway,
            runtime=self.runtime,
            watchdog=self.watchdog,
            data=config.data,
        )
        self.upkeep = Upkeep(
            store=store, log=log, accounts=self.accounts, now=now, retention_days=config.retention_days
        )
        self.services = self._services()
        self.first_password: str | None = None
        """The password of the first admin, when this was the very first start; to be shown once."""
        self._tasks: list[asyncio.Task[None]] = []

    def web(self) -> FastAPI:
        """The HTTP side with the screens; call it once."""
        from ui.mount import mount  # noqa: PLC0415 # NiceGUI takes long to import: only who serves pays for it

        config = self.config
        settings = WebSettings(
            secure_cookies=config.secure_cookies,
            origins=tuple(config.origins),
            most_body=config.max_body_mb * MIB,
            most_batch=config.max_batch_mb * MIB,
            version=VERSION,
        )
        api = create_api(self.services, settings)
        mount(api, self.services, settings)
        return api

    async def start(self) -> None:
        """Begin to process; returns when every engine is loaded."""
        self.thresholds.on_change(self.runtime.set_thresholds)
        await self.thresholds.load()
        self.first_password = await self.accounts.ensure_admin()
        self.watchdog.start(asyncio.get_running_loop())
        await self.runtime.start()
        await self.runtime.wait_ready()
        await self.pulse.start()
        await self.monitor.start()
        self._run("upkeep", self.upkeep.run())
        self.vitals.accepting = True

    async def stop(self) -> None:
        """Make durable what was accepted, save what was applied, and stop; the deadline is the server's."""
        self.vitals.accepting = False
        await self.gateway.close()
        await self.monitor.stop()
        await self.pulse.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.runtime.stop(self.config.shutdown_s)
        self.watchdog.stop()

    def _runtime(self) -> Runtime:
        return Runtime(
            store=self.store,
            gateway=self.gateway,
            reader=self.gateway,
            broker=self.log.url,
            bus=self.bus,
            thresholds=self.thresholds.current(),
            policies=policies_of(self.config.policies),
            partitions=self.config.partitions,
        )

    def _pulse(self) -> Pulse:
        return Pulse(
            runtime=self.runtime,
            reader=self.gateway,
            horizon=self.gateway.horizon,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=self.gateway.now,
        )

    def _monitor(self) -> Monitor:
        return Monitor(
            store=self.store,
            bus=self.bus,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=self.gateway.now,
            checks=self.pulse,
            partitions=self.config.partitions,
        )

    def _services(self) -> Services:
        store, gateway = self.store, self.gateway
        ingest = Ingest(gateway, most_events=self.config.max_batch_events)
        anomalies = Anomalies(store, gateway)
        ingest.observe = self.vitals.observe_batch
        return Services(
            store=store,
            gateway=gateway,
            log=gateway,
            accounts=self.accounts,
            tokens=self.tokens,
            ingest=ingest,
            anomalies=anomalies,
            conversations=Conversations(store),
            thresholds=self.thresholds,
            mutes=Mutes(store, gateway.now),
            audit_log=AuditLog(store),
            dead_letters=DeadLetters(store, gateway.now, gateway),
            ready=self.vitals.unready,
            metrics=self.vitals.exposition,
            observe_response=self.vitals.observe_response,
            monitor=self.monitor,
            incidents=IncidentDesk(
                store=store, gateway=gateway, reader=gateway, incidents=self.monitor, resync=anomalies
            ),
            stats=Stats(store, gateway.now),
            trace=Trace(store, gateway),
            preview=Preview(store=store, reader=gateway, current=self.thresholds.current, clock=gateway.now),
            heartbeats=self.heartbeats,
            runtime=self.runtime,
            bus=ScreenBus(self.bus),
        )

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_say_when_failed)
        self._tasks.append(task)


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Weir]:
    """All parts with their files open. Raises ConfigurationError or StoreDamagedError, naming the file."""
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        store = SqliteStore(config.data / STORE_FILE)
        log = EmbeddedLog(config.data / LOG_FILE, partitions=config.partitions, before_commit=store.sync)
        await log.open()
        stack.push_async_callback(log.close)
        await store.open()
        stack.push_async_callback(store.close)
        yield Weir(config, store, log)


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Weir]:
    """All parts at work."""
    async with opened(config) as weir:
        await weir.start()
        try:
            yield weir
        finally:
            await weir.stop()


def _say_when_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("a part of Weir has failed; restart Weir", part=task.get_name(), exc_info=error)


__all__ = ["Weir", "opened", "running"]
