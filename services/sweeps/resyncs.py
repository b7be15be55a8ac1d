"""Re-syncs by hand: a bounded window of a channel is compared with its platform, and counted before and after.

What closes an anomaly is what comes of it (the missing message, a checkpoint that agrees), never the asking. A re-sync
is a job in the store: one that takes long goes on after the answer, and after the end of the process that began it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

import structlog
from msgspec import Struct

from actors.anomaly import Anomaly
from actors.errors import PermanentError, RejectedError, RetriableError
from actors.keys import channel_key
from connectors.contract.connector import Connector
from connectors.contract.history import Window
from services.arrivals.pointers import Find
from services.channels.platform_api import Apis
from services.channels.secrets import SecretsError
from services.channels.turns import in_turn, turn_of
from services.errors import ConflictError, NotFoundError
from services.inbox.desk_news import DeskNews, told_nobody
from services.masking import mask_text
from services.sweeps.counts import Compared
from services.sweeps.lines import Lines
from services.sweeps.reconciling import Reconciler, Task
from services.sweeps.sweeps import Waiting, since_of
from storage.channel_ports import JobStore, SweepStore
from storage.channel_records import Job, SweepRow
from storage.ports import AccountStore
from storage.records import AuditRow
from streams.coordination.locks import Locks

KIND = "resync"
HOUR_MS = 3_600_000
LONGEST_MS = 24 * HOUR_MS
UNDER_WAY_MS = 20_000
"""What was sent less than this ago may still be on its way; somebody who asks by hand knows of trouble already."""
CLAIM_MS = 600_000
PATIENCE_S = 540.0
"""Less than a claim lasts, so that nobody else begins the same meanwhile."""
ANSWER_S = 10.0
"""How long whoever asks waits for the end of it."""
FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 15_000, 600_000
BUSY_MS = 2_000
"""Somebody else asks about the account just now."""
GIVE_UP_MS = HOUR_MS
BATCH = 8
IDLE_S = 1.0
MOST_JOBS = 500
State: TypeAlias = Literal["running", "done", "failed"]
_log = structlog.get_logger(__name__)


class ResyncStore(JobStore, SweepStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Resynced(Struct, frozen=True, kw_only=True):
    """How a re-sync stands. `since` and `until` in ms; counts only when it is done.

    `checked`: messages of the window at the platform; `before` and `after`: how many of them Weir held and holds;
    `edited` and `recalled`: changes that nobody had told of.
    """

    state: State
    since: int
    until: int
    checked: int | None = None
    new: int | None = None
    duplicate: int | None = None
    before: int | None = None
    after: int | None = None
    edited: int | None = None
    recalled: int | None = None
    reason: str | None = None


class _Asked(Struct, frozen=True, kw_only=True):
    """What a job's payload says."""

    since: int
    until: int
    conversation: str | None
    total: bool
    who: str
    what: str
    subject: str


class Resyncs:
    """Re-syncs what people ask for. `run` belongs into a process that may ask platforms; `close` it at the end."""

    def __init__(
        self,
        *,
        store: ResyncStore,
        find: Find,
        reconciler: Reconciler,
        apis: Apis,
        locks: Locks,
        reader: Waiting,
        now: Callable[[], int],
        tell: DeskNews = told_nobody,
        answer_s: float = ANSWER_S,
    ) -> None:
        """`find`: the connector of a bound channel; `now`: the time in ms; `answer_s`: how long an asker waits.

        `tell`: who tells open screens of what is noted in a thread.
        """
        self._store = store
        self._find = find
        self._reconciler = reconciler
        self._apis = apis
        self._locks = locks
        self._reader = reader
        self._now = now
        self._lines = Lines(store, now, tell)
        self._answer_s = answer_s
        self._ends: dict[str, asyncio.Future[Resynced]] = {}
        self._under_way: set[asyncio.Task[int]] = set()

    async def serves(self, platform: str, account: str) -> bool:
        """Whether the channel is bound to a platform that gives its history."""
        try:
            connector = await self._find(platform, account)
        except SecretsError:
            return False
        return connector is not None and connector.capabilities.history

    async def resync(self, anomaly: Anomaly, *, who: str) -> Resynced:
        """Fetch again what an anomaly misses; returns when it is done, or under way for long. Raises RetriableError."""
        since, until, total = window_of(anomaly, self._now())
        asked = _Asked(
            since=since,
            until=min(until, await self._settled()),
            conversation=anomaly.conversation,
            total=total,
            who=who,
            what="anomaly.resync",
            subject=f"anomaly {anomaly.id}",
        )
        return await self._begun(anomaly.id, anomaly.platform, anomaly.account, asked)

    async def window(self, platform: str, account: str, since: int, until: int, *, who: str) -> Resynced:
        """Re-sync a channel from `since` to `until` (ms, 24 hours at most).

        Raises NotFoundError, ConflictError when its platform gives no history, RejectedError, RetriableError.
        """
        if not 0 < until - since <= LONGEST_MS:
            raise RejectedError("until: after `since`, by 24 hours at most; ask for longer ones in parts")
        try:
            connector = await self._find(platform, account)
        except SecretsError:
            raise ConflictError("the channel's secrets cannot be opened; the list of channels says why") from None
        name = channel_key(platform, account)
        if connector is None:
            raise NotFoundError(f"no channel {name[:100]!r} is bound; `weir channel list` shows them")
        if not connector.capabilities.history:
            raise ConflictError(f"{platform} gives no history; send what is missing with via=resync")
        until = min(until, await self._settled())
        if until <= since:
            raise RejectedError("since: longer ago than 20 seconds; what is newer may still be on its way")
        asked = _Asked(
            since=since, until=until, conversation=None, total=False, who=who, what="sweep.asked", subject=name
        )
        return await self._begun(f"{name}/{since}-{until}", platform, account, asked)

    async def state(self, job_id: str) -> Resynced | None:
        """How a re-sync that is under way or has failed stands; None when there is none."""
        job = await self._job(job_id)
        if job is None:
            return None
        asked = _asked(job)
        state: State = "running" if job.failed_at is None else "failed"
        return Resynced(state=state, since=asked.since, until=asked.until, reason=job.reason)

    async def sweeps(self) -> list[SweepRow]:
        """How far every channel is compared with its platform."""
        return await self._store.sweeps()

    async def run(self) -> None:
        """For ever: do what was asked for, be it in a process that has ended since."""
        while True:
            try:
                done = await self.step(self._now())
            except RetriableError as busy:
                _log.warning("re-syncs are put off", reason=str(busy))
                done = 0
            if not done:
                await asyncio.sleep(IDLE_S)

    async def step(self, now: int) -> int:
        """One round: the re-syncs that are due at `now` (ms); how many there were."""
        jobs = await self._store.claim_jobs(KIND, now, now + CLAIM_MS, BATCH)
        await asyncio.gather(*(self._work(job) for job in jobs))
        return len(jobs)

    async def close(self) -> None:
        """End what is under way; it is begun again by whoever runs."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _settled(self) -> int:
        """Up to when (ms) what was told is in the store by now."""
        now, waiting = self._now(), await self._reader.waiting_since()
        return (now if waiting is None else min(now, waiting)) - UNDER_WAY_MS

    async def _begun(self, job_id: str, platform: str, account: str, asked: _Asked) -> Resynced:
        now = self._now()
        job = Job(kind=KIND, id=job_id, platform=platform, account=account, at=now, due_at=now, payload=_payload(asked))
        before = await self._job(job_id)
        if before is not None and before.failed_at is not None:
            await self._store.finish_job(KIND, job_id)
        await self._store.put_jobs([job])
        end = self._ends.setdefault(job_id, asyncio.get_running_loop().create_future())
        task = asyncio.create_task(self.step(now), name=f"re-sync {job_id}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait([end], timeout=self._answer_s)
        finally:
            self._ends.pop(job_id, None)
        return end.result() if end.done() else Resynced(state="running", since=asked.since, until=asked.until)

    def _ended(self, task: asyncio.Task[int]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:
            _log.warning("a re-sync is put off", reason=str(wrong))

    async def _work(self, job: Job) -> None:
        """One attempt; what cannot even be noted is claimed again later."""
        try:
            await self._attempt(job)
        except TimeoutError:
            await self._failed(job, f"the platform's history took longer than {PATIENCE_S:g} s")
        except (PermanentError, SecretsError) as wrong:
            await self._failed(job, mask_text(str(wrong)))
        except RetriableError as wrong:
            await self._again(job, mask_text(str(wrong)))
        except Exception as fault:  # noqa: BLE001 # a connector's own fault must not end the re-syncs of all others
            _log.exception("a re-sync has failed", channel=channel_key(job.platform, job.account))
            await self._failed(job, f"a fault of this version ({type(fault).__name__}): see the log")

    async def _attempt(self, job: Job) -> None:
        connector = await self._find(job.platform, job.account)
        if connector is None or not connector.capabilities.history:
            await self._failed(job, "the channel is bound no more, or its platform gives no history")
            return
        name = channel_key(job.platform, job.account)
        if not await in_turn(self._locks, turn_of(name), lambda: self._compared(job, connector)):
            await self._store.delay_job(KIND, job.id, self._now() + BUSY_MS, "the channel is being swept just now")

    async def _compared(self, job: Job, connector: Connector) -> None:
        asked = _asked(job)
        found = Compared()
        if asked.since < asked.until:
            row = await self._store.sweep(job.platform, job.account)
            window = Window(since=asked.since, until=asked.until, conversation=asked.conversation)
            task = Task(window=window, purpose="recount", total=asked.total, lost_from=since_of(row))
            async with asyncio.timeout(PATIENCE_S):
                found = await self._reconciler.compare(connector, task, self._apis.of(connector))
        result = Resynced(
            state="done",
            since=asked.since,
            until=asked.until,
            checked=found.checked,
            new=found.new,
            duplicate=found.duplicate,
            before=found.duplicate,
            after=found.duplicate + found.new,
            edited=found.edited,
            recalled=found.recalled,
        )
        concerned = [name for name, counts in found.conversations.items() if counts.changed]
        if asked.conversation is not None:
            concerned = list(dict.fromkeys([asked.conversation, *concerned]))
        await self._lines.found(job.platform, job.account, found.of(concerned), who=asked.who)
        before = {"held": found.duplicate, "since": asked.since, "until": asked.until}
        after = {"state": "done", "held": found.duplicate + found.new, "checked": found.checked, "new": found.new}
        await self._note(
            asked, before, {**after, "duplicate": found.duplicate, "edited": found.edited, "recalled": found.recalled}
        )
        await self._store.finish_job(KIND, job.id)
        self._tell(job, result)

    async def _again(self, job: Job, reason: str) -> None:
        now = self._now()
        if now - job.at >= GIVE_UP_MS:
            await self._failed(job, reason)
            return
        wait = min(FIRST_BACKOFF_MS * 2 ** min(job.attempts - 1, 16), LONGEST_BACKOFF_MS)
        await self._store.delay_job(KIND, job.id, now + wait, reason)
        asked = _asked(job)
        self._tell(job, Resynced(state="running", since=asked.since, until=asked.until, reason=reason))

    async def _failed(self, job: Job, reason: str) -> None:
        asked = _asked(job)
        await self._note(asked, None, {"state": "failed", "reason": reason})
        if asked.conversation is not None:
            await self._lines.failed(job.platform, job.account, asked.conversation, reason, who=asked.who)
        await self._store.fail_job(KIND, job.id, self._now(), reason)
        self._tell(job, Resynced(state="failed", since=asked.since, until=asked.until, reason=reason))

    async def _note(self, asked: _Asked, before: Any, after: Any) -> None:
        row = AuditRow(
            at=self._now(), who=asked.who, what=asked.what, subject=asked.subject, before=before, after=after
        )
        await self._store.append_audit(row)

    async def _job(self, job_id: str) -> Job | None:
        return next((job for job in await self._store.jobs(KIND, MOST_JOBS) if job.id == job_id), None)

    def _tell(self, job: Job, result: Resynced) -> None:
        end = self._ends.get(job.id)
        if end is not None and not end.done():
            end.set_result(result)


def window_of(anomaly: Anomaly, now: int) -> tuple[int, int, bool]:
    """The window (ms) in which what an anomaly misses must be, 24 hours at most; and whether all of it is counted."""
    evidence = anomaly.evidence
    if anomaly.kind == "out_of_sync" and isinstance(evidence.get("from"), int) and isinstance(evidence.get("to"), int):
        since, until = evidence["from"], evidence["to"]
    elif anomaly.kind == "channel_silent" or anomaly.conversation is None:
        since, until = anomaly.since - HOUR_MS, now
    elif anomaly.kind == "loss" and evidence.get("cause") == "checkpoint":
        since, until = anomaly.since, max(anomaly.opened_at, anomaly.since + HOUR_MS)
    else:
        since, until = anomaly.since - HOUR_MS, anomaly.since + HOUR_MS
    total = anomaly.kind == "out_of_sync" and anomaly.conversation is None
    return max(since, until - LONGEST_MS), until, total


def _payload(asked: _Asked) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.__struct_fields__}


def _asked(job: Job) -> _Asked:
    return _Asked(**job.payload)


__all__ = ["Resynced", "Resyncs", "window_of"]
