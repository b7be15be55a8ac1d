"""Makes contacts of customers as conversations come, and renews them as orders do; beside everything else.

A job that is always there says how far conversations were looked through: whichever process claims it looks through
what is newer. A contact that was not met here yet is made when somebody opens the conversation. Orders leave a job
each.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import structlog
from msgspec.structs import replace

from actors.errors import RetriableError
from actors.keys import conversation_key
from actors.orders import Order
from services.contacts.contact_data import Safe, email_of
from services.contacts.countries import phone_of
from services.contacts.learning import Learning, LearningStore, again, contact_id, sighting
from storage.channel_ports import JobStore
from storage.channel_records import Job
from storage.ports import InboxStore
from storage.records import ConversationFilter, ConversationRow

KIND = "contact"
WALK = "walk"
PERIOD_MS = 5_000
OVERLAP_MS = 20_000
"""How much later than its time a conversation may be stored and still be met."""
CLAIM_MS = 60_000
PAGE = 500
BATCH = 64
IDLE_S = 1.0
FRESH_MS = 600_000
"""Whom was met less than this before is not looked at again for having written once more."""
REMEMBERED = 200_000
MOST_CONTACTS = 8
"""An address of so many contacts is nobody's own."""
_log = structlog.get_logger(__name__)


class RegistrarStore(LearningStore, JobStore, InboxStore, Protocol):
    """The parts of a store used here."""


class Registrar:
    """Works the `contact` jobs off; any number of processes may run one. `now` in ms."""

    def __init__(self, store: RegistrarStore, learning: Learning, safe: Safe, now: Callable[[], int]) -> None:
        self._store = store
        self._learning = learning
        self._safe = safe
        self._now = now
        self._learnt: OrderedDict[str, int] = OrderedDict()

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        while True:
            try:
                await self._store.put_jobs([walk_job(self._now(), 0)])
                done = await self.step(self._now())
            except RetriableError as busy:
                _log.warning("contacts are put off", reason=str(busy))
                done = 0
            if not done:
                await asyncio.sleep(IDLE_S)

    async def step(self, now: int) -> int:
        """One round: the jobs that are due at `now` (ms); how many of orders there were."""
        jobs = await self._store.claim_jobs(KIND, now, now + CLAIM_MS, BATCH)
        for job in jobs:
            if job.id == WALK:
                await self._walk(job)
            else:
                await self._renew(job)
                await self._store.finish_job(KIND, job.id)
        return sum(job.id != WALK for job in jobs)

    async def _walk(self, job: Job) -> None:
        """Meet everybody whose conversation is newer than what was looked through before."""
        since = int(job.payload.get("since", 0))
        newest, cursor = since, None
        while True:
            page = await self._store.conversations(ConversationFilter(), PAGE, cursor)
            rows = [row for row in page.items if row.last_at >= since - OVERLAP_MS]
            newest = max([newest, *(row.last_at for row in rows)])
            await self.meet(rows)
            if len(rows) < len(page.items) or page.next is None:
                break
            cursor = page.next
            await self._store.delay_job(KIND, WALK, self._now() + CLAIM_MS, "under way")
        await self._store.finish_job(KIND, WALK)
        await self._store.put_jobs([walk_job(self._now() + PERIOD_MS, newest)])

    async def meet(self, rows: list[ConversationRow]) -> None:
        """Learn whom these conversations are with, apart from those that were met a moment ago."""
        some = [one for one in map(sighting, rows) if one.seen_at - self._learnt.get(one.id, -FRESH_MS) >= FRESH_MS]
        if not some:
            return
        held = {one.id: one.told.seen_at for one in await self._store.contacts_of([one.id for one in some])}
        fresh = [one for one in some if one.seen_at - held.get(one.id, -FRESH_MS) >= FRESH_MS]
        await self._learning.learn(fresh)
        for one in some:
            self._learnt[one.id] = one.seen_at
            self._learnt.move_to_end(one.id)
        while len(self._learnt) > REMEMBERED:
            self._learnt.popitem(last=False)

    async def _renew(self, job: Job) -> None:
        """The contacts that an order may be of."""
        order = await self._store.order(job.platform, job.account, str(job.payload.get("order")))
        if order is None:
            return
        named = [contact_id(order.platform, order.account, order.contact)] if order.contact else []
        held = await self._store.contacts_of(named)
        for fact in await asyncio.to_thread(self._facts, order):
            some = await self._store.contacts_with([fact], MOST_CONTACTS + 1)
            held += some if len(some) <= MOST_CONTACTS else []
        await self._learning.learn([again(one) for one in held])

    def _facts(self, order: Order) -> list[str]:
        email = email_of(order.email)
        phone = phone_of(order.phone or "", order.country)
        return [
            *self._safe.facts("email", [email] if email else []),
            *self._safe.facts("phone", [phone] if phone else []),
        ]


def walk_job(due_at: int, since: int) -> Job:
    """The job that is always there; `since`: up to when conversations were looked through (ms)."""
    return Job(kind=KIND, id=WALK, platform="", account="", at=due_at, due_at=due_at, payload={"since": since})


def order_job(order: Order, now: int) -> Job:
    """That the contacts of an order are to be renewed."""
    name = conversation_key(order.platform, order.account, order.id)
    job = Job(kind=KIND, id=name, platform=order.platform, account=order.account, at=now, due_at=now)
    return replace(job, payload={"order": order.id})


__all__ = ["Registrar", "order_job", "walk_job"]
