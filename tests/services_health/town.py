"""One partition's engine and a real store, driven by hand: what is told at what time is decided by the test."""

from __future__ import annotations

from actors.anomaly import Anomaly
from actors.events import Attachment, Message, Sender
from actors.thresholds import ThresholdSet
from services.health.heartbeats import Heartbeats
from services.health.monitor import Monitor
from services.health.watchdog import Watchdog
from storage.records import AnomalyFilter, PartitionMark
from storage.sqlite import SqliteStore
from streams.bus import LocalBus
from streams.embedded.log import EmbeddedLog
from streams.engine import Engine
from streams.frames import encode_frame
from streams.ports import Frame

START = 1_795_312_800_000
"""2026-11-22 02:00 UTC."""


class Town:
    """`tell` events, let time `pass_to`; the store holds what came of it."""

    def __init__(self, path):
        self.store = SqliteStore(path / "store.db")
        self.log = EmbeddedLog(path / "log.db", partitions=1)
        self.now = START
        self.engine = Engine(0, ThresholdSet(), PartitionMark(partition=0))
        self.offset = -1
        self.bus = LocalBus()
        self.heartbeats = Heartbeats(self.clock, steady=self.clock)
        self.watchdog = Watchdog(self.heartbeats, self.clock)

    async def open(self):
        await self.store.open()
        await self.log.open()
        self.beat()

    async def close(self):
        await self.log.close()
        await self.store.close()

    def clock(self):
        return self.now

    def beat(self, *silent):
        for part in self.heartbeats.limits_ms:
            if part not in silent:
                self.heartbeats.beat(part)
        self.watchdog.look()

    def monitor(self, **options):
        return Monitor(
            store=self.store,
            bus=self.bus,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=self.clock,
            **options,
        )

    async def tell(self, *events):
        """Events with their own `at`; the town's clock follows the last."""
        self.offset += 1
        await self.log.append([(0, self.now, encode_frame(Frame(self.now, list(events))))])
        assert self.engine.apply(self.offset, self.now, events) == []
        self.now = max([self.now, *(e.at for e in events)])
        await self.save()

    async def pass_to(self, at):
        self.now = max(self.now, at)
        self.engine.tick(at)
        await self.save()

    async def save(self):
        batch = self.engine.take(self.now)
        if batch is not None:
            await self.store.save(batch)

    async def anomalies(self, **where) -> list[Anomaly]:
        return (await self.store.anomalies(AnomalyFilter(**where), 500)).items


def wrote(number, at, *, delay=0, platform="shopee", account="shop-sg", conversation="c1", direction="in", **more):
    """A message observed at `at`, `delay` ms after it was sent."""
    if "files" in more:
        more["attachments"] = [Attachment(id=name, kind="image") for name in more.pop("files")]
    return Message(
        platform=platform,
        account=account,
        at=at,
        conversation=conversation,
        message=f"m{number}",
        sent_at=at - delay,
        direction=direction,
        sender=Sender(id="u1", role="customer" if direction == "in" else "agent"),
        text=f"where is my parcel {number}",
        lang="en",
        **more,
    )
