"""The proof after a fault: nothing acknowledged is missing, nothing is applied twice, everything is in its order.

The log is walked on from where the last proof ended, and what it holds is counted; while the senders rest and nothing
waits, ledger and store have to say exactly the same.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

import pymongo

from actors.events import Message
from actors.keys import channel_key, conversation_key
from storage.mongodb import MongoStore
from storage.mongodb.inbox import message_rows
from storage.records import AnomalyFilter
from streams.frames import decode_frame
from tests.chaos.traffic import PLATFORM, Sender

POLL_S = 0.05
DRAIN_S = 120.0
QUESTIONS_S = 90.0
"""The database that runs here looks through whole collections; Weir's own questions are of another kind."""
DISORDER = ("loss", "out_of_sync")
"""Kinds that only messages applied out of their order, or not at all, can give in this traffic."""


class BrokenPromiseError(AssertionError):
    """What was promised does not hold; the message says what."""


class Proof:
    """Counts what the log holds. `store` and `reader` are connections of its own."""

    def __init__(self, store: MongoStore, reader) -> None:
        self.store = store
        self.reader = reader
        self.events = 0
        self._next: dict[int, int] = {}
        self._deliveries: dict[str, int] = defaultdict(int)
        self._highest: dict[tuple[str, str], int] = defaultdict(int)
        self._copies: dict[tuple[str, str, int], int] = defaultdict(int)
        self._touched: set[tuple[str, str, int]] = set()

    async def drained(self) -> float:
        """Wait until everything in the log by now is saved; the seconds it took."""
        started = time.monotonic()
        ends = {place.partition: place.end for place in await self._patiently(self.reader.positions)}
        while True:
            applied = {mark.partition: mark.applied for mark in await self._patiently(self.store.marks)}
            behind = {number: end for number, end in ends.items() if end and applied.get(number, -1) < end - 1}
            if not behind:
                return time.monotonic() - started
            if time.monotonic() - started > DRAIN_S:
                raise BrokenPromiseError(f"not processed after {DRAIN_S:.0f} s: log ends {behind}, applied {applied}")
            await asyncio.sleep(POLL_S)

    async def holds(self, senders: list[Sender]) -> None:
        """Compare acknowledgements, log, ledger and store while the senders rest. Raises BrokenPromiseError.

        A post that its sender gave up may still reach the log late: then everything is compared anew.
        """
        while True:
            await self.drained()
            await self._walk()
            walked = dict(self._next)
            try:
                await self._compare(senders)
            except BrokenPromiseError:
                await asyncio.sleep(1)
                if walked == {place.partition: place.end for place in await self.reader.positions() if place.end}:
                    raise
            else:
                return

    async def _compare(self, senders: list[Sender]) -> None:
        with pymongo.timeout(QUESTIONS_S):
            await self._compare_all(senders)

    async def _compare_all(self, senders: list[Sender]) -> None:
        for sender in senders:
            for (shop, conversation), count in sender.acknowledged.items():
                if self._highest[shop, conversation] < count:
                    raise BrokenPromiseError(
                        f"{shop}/{conversation}: {count} acknowledged, the log has {self._highest[shop, conversation]}"
                    )
        await self._compare_ledger()
        await self._compare_copies()
        for kind in DISORDER:
            found = (await self.store.anomalies(AnomalyFilter(kind=kind), 3)).items
            found = [one for one in found if one.conversation is not None]
            if found:
                raise BrokenPromiseError(f"order was lost: {found}")

    async def _walk(self) -> None:
        """Count what came to the log, and see that every conversation is there in its order."""
        for place in await self._patiently(self.reader.positions):
            async for record in self.reader.records(place.partition, self._next.get(place.partition, 0)):
                self._next[place.partition] = record.offset + 1
                for entry in decode_frame(record.data).entries:
                    if isinstance(entry, Message):
                        self._count(entry)

    def _count(self, message: Message) -> None:
        number = message.seq or 0
        where = (message.account, message.conversation)
        if number > self._highest[where] + 1:
            raise BrokenPromiseError(f"the log has message {number} of {where} after {self._highest[where]}")
        self._highest[where] = max(self._highest[where], number)
        self._copies[(*where, number)] += 1
        self._touched.add((*where, number))
        self._deliveries[message.account] += 1
        self.events += 1

    async def _compare_ledger(self) -> None:
        ledger = {row.channel: row for row in await self.store.ledger()}
        counts = await self.store.counts()
        for shop, delivered in self._deliveries.items():
            key = channel_key(PLATFORM, shop)
            distinct = sum(count for (where, _), count in self._highest.items() if where == shop)
            row, held = ledger.get(key), counts.get(key, {})
            told = (row.accepted, row.stored, row.duplicates, row.rejected) if row else None
            if told != (delivered, distinct, delivered - distinct, 0):
                raise BrokenPromiseError(
                    f"{key}: the log has {delivered} deliveries of {distinct} messages, the ledger says {told}"
                )
            if held.get("stored", 0) + held.get("merged", 0) != distinct:
                raise BrokenPromiseError(f"{key}: {distinct} messages in the log, the store holds {held}")

    async def _compare_copies(self) -> None:
        """How often each message since the last proof came: one applied twice or not at all would show here."""
        wanted = {(conversation_key(PLATFORM, shop, name), f"m{n}"): (shop, name, n) for shop, name, n in self._touched}
        ids = sorted(f"{key}/{message}" for key, message in wanted)
        rows = await self.store._db.by_ids("messages", ids, {"words": 0})
        copies = {(row.key, row.message): row.copies for row in await message_rows(self.store._db, rows)}
        for which, numbered in wanted.items():
            count = self._copies[numbered]
            if copies.get(which) != count - 1:
                raise BrokenPromiseError(f"{which} came {count} times, the store has copies: {copies.get(which)}")
        self._touched.clear()

    @staticmethod
    async def _patiently(ask):
        """An answer, asked for again while a service is away."""
        deadline = time.monotonic() + DRAIN_S
        while True:
            try:
                return await ask()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(POLL_S)
