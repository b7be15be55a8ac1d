"""Fetches what webhooks only point to, again and again until it is there or a day is over.

The jobs are durable before the webhook is answered; whichever process claims one does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias

import msgspec
import structlog

from actors.errors import PermanentError, RetriableError
from actors.events import Auth
from connectors.contract.calling import BusyError, DeniedError, RefusedError
from connectors.contract.connector import Connector, Refused, UnreadableError
from connectors.contract.history import Pointer
from services.arrivals.arrivals import Arrivals
from services.channels.platform_api import Apis
from services.channels.secrets import SecretsError
from services.masking import mask_text
from storage.channel_ports import JobStore
from storage.channel_records import Job

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
Outcome: TypeAlias = Literal["done", "delayed", "failed"]
KIND = "pointer"
GIVE_UP_MS = 86_400_000
FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 5_000, 600_000
CLAIM_MS = 120_000
"""A job of a process that died comes up again after this."""
PATIENCE_S = 60.0
REFUSALS = 5
"""What a platform points to and then refuses may only not be there yet; after so many attempts it never will be."""
AT_ONCE = 8
BATCH = 64
IDLE_S = 1.0
_log = structlog.get_logger(__name__)


class Pointers:
    """Works the `pointer` jobs off."""

    def __init__(
        self,
        *,
        store: JobStore,
        arrivals: Arrivals,
        find: Find,
        apis: Apis,
        now: Callable[[], int],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`find`: the connector of a bound channel, None when there is none; `now`: the time in ms."""
        self._store = store
        self._arrivals = arrivals
        self._find = find
        self._apis = apis
        self._now = now
        self._patience_s = patience_s
        self._denied: set[tuple[str, str]] = set()
        self.observe: Callable[[Outcome], None] | None = None
        """Told what became of each attempt, for metrics."""

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        while True:
            try:
                done = await self.step(self._now())
            except RetriableError as busy:
                _log.warning("pointers are put off", reason=str(busy))
                done = 0
            if not done:
                await asyncio.sleep(IDLE_S)

    async def step(self, now: int) -> int:
        """One round: the jobs that are due at `now` (ms); how many there were."""
        jobs = await self._store.claim_jobs(KIND, now, now + CLAIM_MS, BATCH)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(job: Job) -> None:
            async with gate:
                await self._work(job)

        results = await asyncio.gather(*(one(job) for job in jobs), return_exceptions=True)
        for wrong in results:
            if isinstance(wrong, BaseException) and not isinstance(wrong, RetriableError):
                raise wrong
        return len(jobs)

    async def _work(self, job: Job) -> None:
        """One attempt; what cannot even be noted is claimed again later."""
        try:
            await self._fetch(job)
        except BusyError as busy:
            await self._again(job, str(busy), busy.retry_after)
        except UnreadableError as wrong:
            await self._unreadable(job, str(wrong))
        except RefusedError as wrong:
            if job.attempts >= REFUSALS:
                await self._give_up(job, str(wrong))
            else:
                await self._again(job, str(wrong))
        except TimeoutError:
            await self._again(job, f"the platform did not answer within {self._patience_s:g} s")
        except (RetriableError, DeniedError, SecretsError) as wrong:
            await self._again(job, str(wrong))
        except PermanentError as wrong:
            await self._give_up(job, str(wrong))
        except Exception as fault:  # noqa: BLE001 # a connector's own fault must not end the fetching for all others
            _log.exception("a pointer could not be followed", platform=job.platform, account=job.account)
            await self._again(job, f"a fault of this version ({type(fault).__name__})")

    async def _fetch(self, job: Job) -> None:
        connector = await self._find(job.platform, job.account)
        if connector is None:
            await self._give_up(job, "the channel is bound no more")
            return
        try:
            async with asyncio.timeout(self._patience_s):
                parsed = await connector.resolve(_pointer(job), self._apis.of(connector))
        except DeniedError as wrong:
            await self._tell_auth(connector, "revoked" if wrong.revoked else "expired")
            raise
        if (job.platform, job.account) in self._denied:
            await self._tell_auth(connector, "ok")
        await self._arrivals.take(connector, parsed, via="push")
        await self._store.finish_job(KIND, job.id)
        self._tell("done")

    async def _tell_auth(self, connector: Connector, status: Literal["ok", "expired", "revoked"]) -> None:
        """Once for each change."""
        channel = (connector.platform, connector.binding.account)
        if (status != "ok") == (channel in self._denied):
            return
        await self._arrivals.take(connector, [Auth(platform=channel[0], account=channel[1], status=status)])
        (self._denied.discard if status == "ok" else self._denied.add)(channel)

    async def _unreadable(self, job: Job, reason: str) -> None:
        """What is there and cannot be read is journalled as rejected, as a webhook's body would be."""
        connector = await self._find(job.platform, job.account)
        if connector is not None:
            await self._arrivals.take(connector, [Refused(msgspec.json.encode(job.payload), reason)])
        await self._store.finish_job(KIND, job.id)
        self._tell("failed")

    async def _again(self, job: Job, reason: str, after_s: float = 0.0) -> None:
        now = self._now()
        if now - job.at >= GIVE_UP_MS:
            await self._give_up(job, reason)
            return
        wait = min(FIRST_BACKOFF_MS * 2 ** min(job.attempts - 1, 16), LONGEST_BACKOFF_MS)
        due_at = now + max(wait, round(after_s * 1000))
        await self._store.delay_job(KIND, job.id, due_at, mask_text(reason))
        self._tell("delayed")

    async def _give_up(self, job: Job, reason: str) -> None:
        shown = mask_text(reason)
        await self._store.fail_job(KIND, job.id, self._now(), shown)
        _log.error("what a webhook pointed to is given up", platform=job.platform, account=job.account, reason=shown)
        self._tell("failed")

    def _tell(self, outcome: Outcome) -> None:
        if self.observe is not None:
            self.observe(outcome)


def _pointer(job: Job) -> Pointer:
    about: Mapping[str, str] = job.payload.get("about") or {}
    return Pointer(id=str(job.payload.get("pointer", "")), about=dict(about))


__all__ = ["Find", "Outcome", "Pointers"]
