"""Tells platforms that a conversation was read, where a channel's setting asks for it.

What is told is put down as a job when somebody who may answer opens a conversation with something unread; whichever
process claims it tells. That it could not be told harms nobody: after some attempts it is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

import structlog

from actors.errors import ConfigurationError, PermanentError, RetriableError
from actors.keys import conversation_key
from connectors.contract.asking import MARK_READ
from connectors.contract.calling import BusyError
from connectors.contract.connector import Connector
from connectors.registry import BY_PLATFORM
from services.channels.platform_api import Apis
from services.masking import mask_text
from storage.channel_ports import JobStore
from storage.channel_records import Job
from storage.ports import InboxStore
from storage.records import ConversationRow

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
KIND = "read"
PLATFORMS = frozenset(name for name, kind in BY_PLATFORM.items() if MARK_READ in kind.settings)
"""Those that can be told."""
CLAIM_MS = 60_000
PATIENCE_S = 30.0
FIRST_BACKOFF_MS = 5_000
ATTEMPTS = 5
BATCH = 64
LATEST = 50
IDLE_S = 1.0
_log = structlog.get_logger(__name__)


class MarkStore(JobStore, InboxStore, Protocol):
    """The parts of a store used here."""


async def put_down(store: JobStore, row: ConversationRow, now: int) -> None:
    """Put down that a conversation was read just now (ms), where its platform can be told. Raises RetriableError."""
    if row.platform in PLATFORMS and row.unread:
        job = Job(
            kind=KIND,
            id=row.key,
            platform=row.platform,
            account=row.account,
            at=now,
            due_at=now,
            payload={"conversation": row.conversation},
        )
        await store.put_jobs([job])


class Marks:
    """Works the `read` jobs off; any number of processes may run one. `now` in ms."""

    def __init__(self, *, store: MarkStore, find: Find, apis: Apis, now: Callable[[], int]) -> None:
        self._store = store
        self._find = find
        self._apis = apis
        self._now = now

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        while True:
            try:
                done = await self.step(self._now())
            except RetriableError as busy:
                _log.warning("marks are put off", reason=str(busy))
                done = 0
            if not done:
                await asyncio.sleep(IDLE_S)

    async def step(self, now: int) -> int:
        """One round: the jobs that are due at `now` (ms); how many there were."""
        jobs = await self._store.claim_jobs(KIND, now, now + CLAIM_MS, BATCH)
        for job in jobs:
            await self._work(job)
        return len(jobs)

    async def _work(self, job: Job) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._tell(job)
        except (RetriableError, TimeoutError) as wrong:
            if job.attempts < ATTEMPTS:
                wished = round(wrong.retry_after * 1000) if isinstance(wrong, BusyError) else 0
                wait = max(wished, FIRST_BACKOFF_MS * 2 ** (job.attempts - 1))
                await self._store.delay_job(KIND, job.id, self._now() + wait, mask_text(str(wrong)))
                return
            self._left(job, str(wrong))
        except (PermanentError, ConfigurationError) as wrong:
            self._left(job, str(wrong))
        except Exception:  # noqa: BLE001 # a connector's own fault must not end the marks of all others
            _log.exception("a mark could not be told", platform=job.platform, account=job.account)
        await self._store.finish_job(KIND, job.id)

    async def _tell(self, job: Job) -> None:
        connector = await self._find(job.platform, job.account)
        if connector is None or not connector.marks_read():
            return
        conversation = str(job.payload.get("conversation", ""))
        key = conversation_key(job.platform, job.account, conversation)
        latest = await self._store.latest_messages(key, LATEST)
        message = next((one.message for one in latest if one.direction == "in"), None)
        if message is not None:
            await connector.mark_read(conversation, message, self._apis.of(connector))

    def _left(self, job: Job, reason: str) -> None:
        _log.warning("mark_not_told", platform=job.platform, account=job.account, reason=mask_text(reason)[:500])


__all__ = ["PLATFORMS", "MarkStore", "Marks", "put_down"]
