"""What is done to a deployment: one class a fault, each listed in FAULTS.

`strike` does it and `heal` undoes it; `victims` are the workers whose partitions others have to take over.
"""

from __future__ import annotations

import asyncio
import random
import signal
from abc import ABC, abstractmethod
from typing import ClassVar

from tests.chaos.fleet import Member
from tests.chaos.town import Town

PAST_THE_SESSION_S = 11.0
"""Longer than a worker may be silent before its partitions are given to others, and than these may take."""
SHORT_S = 2.0


class Fault(ABC):
    """One fault, chosen by the story's dice."""

    kind: ClassVar[str]

    def __init__(self, town: Town, dice: random.Random) -> None:
        self.town = town
        self.victims: list[Member] = []
        self.choose(dice)

    def choose(self, dice: random.Random) -> None:  # noqa: B027 # some strike what there is one of
        """Choose whom it strikes."""

    @property
    def target(self) -> str:
        """Whom it strikes, for the record."""
        return ", ".join(member.name for member in self.victims)

    @abstractmethod
    async def strike(self) -> None:
        """Do it."""

    async def heal(self) -> None:  # noqa: B027 # some heal by themselves
        """Undo it, after the others had their time to take over."""


class WorkerKilled(Fault):
    """kill -9 of a worker; its supervisor starts it again once the others have taken over."""

    kind = "worker killed"

    def choose(self, dice: random.Random) -> None:
        self.victims = [dice.choice(self.town.fleet.of("worker"))]

    async def strike(self) -> None:
        self.victims[0].wanted = False
        self.victims[0].signal(signal.SIGKILL)

    async def heal(self) -> None:
        self.victims[0].wanted = True


class WorkerLeaves(WorkerKilled):
    """A worker is told to end, finishes what it has, and comes back later."""

    kind = "worker leaves and joins"

    async def strike(self) -> None:
        self.victims[0].wanted = False
        self.victims[0].signal(signal.SIGTERM)


class WorkerWakesAsZombie(WorkerKilled):
    """A worker stands still beyond its session, and wakes with everything it had in hand."""

    kind = "worker stopped and woken as a zombie"

    async def strike(self) -> None:
        self.victims[0].signal(signal.SIGSTOP)

    async def heal(self) -> None:
        await self.town.wait_since_strike(PAST_THE_SESSION_S)
        self.victims[0].signal(signal.SIGCONT)


class WorkerCutOff(WorkerKilled):
    """A worker's network cable is pulled: it runs, and reaches nothing."""

    kind = "worker cut off from the network"

    def choose(self, dice: random.Random) -> None:
        self.victims = [dice.choice([member for member in self.town.fleet.of("worker") if self.town.may_cut(member)])]

    async def strike(self) -> None:
        await asyncio.to_thread(self.town.cut, self.victims[0])

    async def heal(self) -> None:
        await self.town.wait_since_strike(PAST_THE_SESSION_S)
        await asyncio.to_thread(self.town.mend, self.victims[0])


class WebKilled(Fault):
    """kill -9 of a web process with requests under way."""

    kind = "web killed"

    def choose(self, dice: random.Random) -> None:
        self._web = dice.choice(self.town.fleet.of("web"))

    @property
    def target(self) -> str:
        return self._web.name

    async def strike(self) -> None:
        self._web.signal(signal.SIGKILL)


class BrokerKilled(Fault):
    """kill -9 of one of three brokers."""

    kind = "broker killed"

    def choose(self, dice: random.Random) -> None:
        self._number = dice.choice(sorted(self.town.kafka.brokers))

    @property
    def target(self) -> str:
        return f"broker {self._number}"

    async def strike(self) -> None:
        await asyncio.to_thread(self.town.kafka.kill, self._number)
        await asyncio.sleep(SHORT_S)

    async def heal(self) -> None:
        await asyncio.to_thread(self.town.kafka.ensure)


class RedisKilled(Fault):
    """kill -9 of Redis."""

    kind = "Redis killed"

    async def strike(self) -> None:
        await asyncio.to_thread(self.town.redis.kill)
        await asyncio.sleep(SHORT_S)

    async def heal(self) -> None:
        await asyncio.to_thread(self.town.redis.start)


class DatabaseKilled(Fault):
    """kill -9 of the database."""

    kind = "database killed"

    async def strike(self) -> None:
        await asyncio.to_thread(self.town.database.kill)
        await asyncio.sleep(SHORT_S)

    async def heal(self) -> None:
        await asyncio.to_thread(self.town.database.start)


class DatabaseStandsStill(Fault):
    """The database keeps its connections and answers nothing for a while."""

    kind = "database stands still"

    async def strike(self) -> None:
        await asyncio.to_thread(self.town.database.pause)
        await asyncio.sleep(SHORT_S)

    async def heal(self) -> None:
        await asyncio.to_thread(self.town.database.resume)


class DiskFull(Fault):
    """Not one page is left on the database's disk."""

    kind = "the database's disk is full"

    async def strike(self) -> None:
        await asyncio.to_thread(self.town.disk.fill)
        await asyncio.sleep(SHORT_S)

    async def heal(self) -> None:
        await asyncio.to_thread(self.town.disk.free)


class EverythingRestarts(Fault):
    """Power fails: every process dies at once and is started again."""

    kind = "everything restarts"

    async def strike(self) -> None:
        for member in self.town.fleet.members:
            member.wanted = False
            member.signal(signal.SIGKILL)
        for number in self.town.kafka.brokers:
            await asyncio.to_thread(self.town.kafka.kill, number)
        await asyncio.to_thread(self.town.redis.kill)
        await asyncio.to_thread(self.town.database.kill)

    async def heal(self) -> None:
        await asyncio.to_thread(self.town.database.start)
        await asyncio.to_thread(self.town.redis.start)
        await asyncio.to_thread(self.town.kafka.ensure)
        for member in self.town.fleet.members:
            member.wanted = True


FAULTS: list[type[Fault]] = [
    WorkerKilled,
    WorkerLeaves,
    WorkerWakesAsZombie,
    WorkerCutOff,
    WebKilled,
    BrokerKilled,
    RedisKilled,
    DatabaseKilled,
    DatabaseStandsStill,
    DiskFull,
    EverythingRestarts,
]
