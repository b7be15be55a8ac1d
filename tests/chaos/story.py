"""A story of faults under load: each strikes, is healed, and is followed by the proof that no promise was broken."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec import Struct, field

from storage.mongodb import MongoStore
from tests.chaos.faults import FAULTS, DiskFull, Fault, WorkerKilled
from tests.chaos.proof import BrokenPromiseError, Proof
from tests.chaos.town import PARTITIONS, Town
from tests.chaos.traffic import Sender, shops
from weir.config import load_config
from weir.parts.reading import opened_reader

TAKE_OVER_S = 10.0
"""What is promised."""
PATIENCE_S = 90.0
BEFORE_S = (0.5, 1.5)
READY_S = 120.0
REST_S = 90.0
POLL_S = 0.1
LAST_WRITE_S = 0.3
"""What a killed worker had already sent may reach the database that much later."""
SENDERS = 3
EXPECTED_EXITS = {-9, 0, 1, 70}
"""Killed by us, told to end, not started while a service was away, or fenced off: nothing else ends a process."""


class Chapter(Struct, kw_only=True):
    """One fault as it went: `take_over` is how long (s) the victims' partitions stood still, at most."""

    number: int
    kind: str
    target: str
    take_over: float | None = None
    drained: float = 0.0
    took: float = 0.0
    events: int = 0


class Outcome(Struct, kw_only=True):
    """The whole story."""

    seed: int
    cables: str
    chapters: list[Chapter] = field(default_factory=list[Chapter])
    exits: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    posted_again: int = 0
    acknowledged: int = 0
    events: int = 0
    left_out: list[str] = field(default_factory=list[str])
    audit: str = ""


class Saves:
    """When each partition was last saved, as seen from outside; keeps looking until cancelled."""

    def __init__(self, store: MongoStore) -> None:
        self.changed_at: dict[int, float] = {}
        self._versions: dict[int, int] = {}
        self._store = store

    async def watch(self) -> None:
        """Look for ever; a database that is away is asked again."""
        while True:
            with contextlib.suppress(Exception):
                for mark in await self._store.marks():
                    if self._versions.get(mark.partition) != mark.applied:
                        self._versions[mark.partition] = mark.applied
                        self.changed_at[mark.partition] = time.monotonic()
            await asyncio.sleep(POLL_S)


def plan(faults: int, seed: int, kinds: list[type[Fault]]) -> list[type[Fault]]:
    """Every kind once before any comes twice, in an order of the seed's."""
    dice = random.Random(seed)  # noqa: S311 # a seeded story, no secret
    planned: list[type[Fault]] = []
    while len(planned) < faults:
        planned += dice.sample(kinds, len(kinds))
    return planned[:faults]


async def told(
    town: Town, faults: int, seed: int, say: Callable[[Chapter], None], *, take_over_s: float = PATIENCE_S
) -> Outcome:
    """Play the story; `say` hears of every fault. Raises BrokenPromiseError.

    A partition may stand still for `take_over_s`, where the machine has nothing else to do.
    """
    kinds = [kind for kind in FAULTS if kind is not DiskFull or town.may_fill]
    outcome = Outcome(seed=seed, cables=town.cables, left_out=[kind.kind for kind in FAULTS if kind not in kinds])
    async with _begun(town, seed) as (senders, proof, saves):
        dice = random.Random(seed + 1)  # noqa: S311 # as above
        try:
            for number, kind in enumerate(plan(faults, seed, kinds), 1):
                await asyncio.sleep(dice.uniform(*BEFORE_S))
                fault = kind(town, dice)
                chapter = Chapter(number=number, kind=fault.kind, target=fault.target)
                await _chapter(town, fault, chapter, senders, proof, saves)
                if chapter.take_over is not None and chapter.take_over > take_over_s:
                    raise BrokenPromiseError(f"{chapter.target}: partitions stood still for {chapter.take_over:.1f} s")
                outcome.chapters.append(chapter)
                say(chapter)
        finally:
            outcome.exits = {member.name: member.exits for member in town.fleet.members}
        outcome.posted_again = sum(sender.posted_again for sender in senders)
        outcome.acknowledged = sum(sum(sender.acknowledged.values()) for sender in senders)
        outcome.events = proof.events
    if unexpected := {n: x for n, x in outcome.exits.items() if set(x) - EXPECTED_EXITS}:
        raise BrokenPromiseError(f"processes ended by themselves: {unexpected}")
    audit = await asyncio.to_thread(town.run, "audit")
    outcome.audit = audit.stdout.strip().splitlines()[-1] if audit.stdout.strip() else audit.stderr
    if audit.returncode:
        raise BrokenPromiseError(f"weir audit: {audit.stdout}{audit.stderr}")
    return outcome


async def _chapter(
    town: Town, fault: Fault, chapter: Chapter, senders: list[Sender], proof: Proof, saves: Saves
) -> None:
    owned = await _partitions_of(fault, proof)
    started = town.struck_at = time.monotonic()
    await fault.strike()
    if owned:
        chapter.take_over = await _taken_over(owned, started, saves)
    await fault.heal()
    await _everybody_up(town)
    async with asyncio.timeout(REST_S):
        await asyncio.gather(*(sender.rest() for sender in senders))
    chapter.drained = await proof.drained()
    await proof.holds(senders)
    chapter.took = time.monotonic() - started
    chapter.events = proof.events
    for sender in senders:
        sender.go()


async def _partitions_of(fault: Fault, proof: Proof) -> set[int]:
    """The partitions that the victims look after."""
    pids = {victim.pid for victim in fault.victims if isinstance(fault, WorkerKilled)}
    beats = await proof.store.beats(0)
    return {
        partition for beat in beats if any(f"-{pid}-" in beat.process for pid in pids) for partition in beat.partitions
    }


async def _taken_over(owned: set[int], started: float, saves: Saves) -> float:
    """How long the last of these partitions stood still."""
    await asyncio.sleep(LAST_WRITE_S)
    since = time.monotonic()
    while any(saves.changed_at.get(number, 0.0) < since for number in owned):
        if time.monotonic() - started > PATIENCE_S:
            raise BrokenPromiseError(f"nobody took over partitions {sorted(owned)} within {PATIENCE_S:.0f} s")
        await asyncio.sleep(POLL_S / 2)
    return max(saves.changed_at[number] for number in owned) - started


async def _everybody_up(town: Town) -> None:
    """Wait until every process runs and the webs answer."""
    deadline = time.monotonic() + READY_S
    while not all(member.address for member in town.fleet.members):
        if time.monotonic() > deadline:
            silent = [member.name for member in town.fleet.members if not member.address]
            raise BrokenPromiseError(f"not up again after {READY_S:.0f} s: {silent}; see {town.folder}")
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def _begun(town: Town, seed: int) -> AsyncIterator[tuple[list[Sender], Proof, Saves]]:
    """The fleet at work under load, and the eyes on it."""
    config = load_config(file=town.config, environ={})
    token = (await asyncio.to_thread(town.run, "token", "create", "chaos", "--role", "admin")).stdout.strip()
    town.fleet.start()
    store = MongoStore(config.database)
    try:
        await _everybody_up(town)
        await store.open()
        async with opened_reader(config) as reader:
            names = shops(PARTITIONS)
            senders = [Sender(names[n::SENDERS], town.fleet.addresses, token, seed + n) for n in range(SENDERS)]
            proof, saves = Proof(store, reader), Saves(store)
            tasks = [asyncio.create_task(work) for work in (*(s.run() for s in senders), saves.watch())]
            await _worked_off(saves)
            yield senders, proof, saves
            for sender in senders:
                sender.stop()
            await asyncio.wait(tasks[:SENDERS], timeout=REST_S)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for wrong in results:
                if isinstance(wrong, Exception):
                    raise wrong
    finally:
        await store.close()
        await town.fleet.stop()


async def _worked_off(saves: Saves) -> None:
    """Wait until something of every partition is saved."""
    deadline = time.monotonic() + READY_S
    while len(saves.changed_at) < PARTITIONS:
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"after {READY_S:.0f} s only partitions {sorted(saves.changed_at)} are processed")
        await asyncio.sleep(POLL_S)
