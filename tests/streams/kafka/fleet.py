"""Runtimes of one deployment in one process, sharing a store that can be told to misbehave."""

from __future__ import annotations

import asyncio

from actors.thresholds import ThresholdSet
from streams.app import Runtime
from streams.bus import LocalBus
from tests.streams.product import MoodyStore


class Member:
    """One runtime and what it wanted to end its process with."""

    def __init__(self, fleet, **options):
        self.exits = []
        self.ended = asyncio.Event()
        self.runtime = Runtime(
            **{
                "store": fleet.store,
                "gateway": fleet.gateway,
                "reader": fleet.gateway,
                "broker": fleet.log.url,
                "bus": fleet.bus,
                "thresholds": ThresholdSet(),
                "partitions": fleet.log.partitions,
                "end_process": self._end,
                "commit_interval_s": 0.1,
            }
            | options
        )

    @property
    def held(self):
        return set(self.runtime.engines)

    def _end(self, status):
        self.exits.append(status)
        self.ended.set()


class Fleet:
    """Everything is on one topic and one database."""

    def __init__(self, log, gateway, data_dir):
        self.log = log
        self.gateway = gateway
        self.store = MoodyStore(data_dir / "store.db")
        self.bus = LocalBus()
        self.members = []

    async def open(self):
        await self.store.open()

    async def join(self, **options):
        """One more member, running and with its engines loaded."""
        member = Member(self, **options)
        self.members.append(member)
        await member.runtime.start()
        await member.runtime.wait_ready()
        return member

    async def leave(self, member):
        self.members.remove(member)
        await member.runtime.stop()

    async def settled(self):
        for member in self.members:
            await member.runtime.settled()

    async def close(self):
        self.store.gate.set()
        self.store.errors.clear()
        for member in list(self.members):
            await self.leave(member)
        await self.store.close()

    async def ledger(self):
        """Per channel: accepted, stored, duplicates, rejected."""
        return {
            row.channel: (row.accepted, row.stored, row.duplicates, row.rejected)
            for row in await self.store.ledger()
            if row.accepted
        }
