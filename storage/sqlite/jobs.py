"""Work to be done at platforms."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import json

from storage.channel_records import Job, JobKind
from storage.cursors import bounded
from storage.sqlite.bulk import read_rows, write_rows
from storage.sqlite.connection import Database

_COLUMNS = "kind, id, platform, account, at, due_at, payload, attempts, failed_at, reason"
_PUT = f"INSERT INTO jobs ({_COLUMNS}) VALUES {{rows}} ON CONFLICT DO NOTHING"  # noqa: S608 # constants
_DUE = """FROM jobs INDEXED BY jobs_due WHERE kind = ? AND failed_at IS NULL AND due_at <= ?
    ORDER BY due_at, at, id LIMIT ?"""
_CLAIM = """UPDATE jobs SET due_at = ?, attempts = attempts + 1
    WHERE kind = ? AND id IN (SELECT value FROM json_each(?))"""
_DELAY = "UPDATE jobs SET due_at = ?, reason = ?, failed_at = NULL WHERE kind = ? AND id = ?"
_FAIL = "UPDATE jobs SET failed_at = ?, reason = ? WHERE kind = ? AND id = ?"
_LISTS = {
    True: "FROM jobs WHERE kind = ?1 AND failed_at IS NOT NULL ORDER BY at, id LIMIT ?2",
    False: "FROM jobs WHERE kind = ?1 AND failed_at IS NULL ORDER BY at, id LIMIT ?2",
    None: f"""FROM (SELECT {_COLUMNS} FROM jobs WHERE kind = ?1 AND failed_at IS NULL UNION ALL
        SELECT {_COLUMNS} FROM jobs WHERE kind = ?1 AND failed_at IS NOT NULL ORDER BY at, id LIMIT ?2)""",  # noqa: S608 # constants
}


class SqliteJobs:
    """`storage.channel_ports.JobStore`."""

    _db: Database

    async def put_jobs(self, jobs: Sequence[Job]) -> None:
        """Keep jobs; one whose kind and id are held already, failed ones too, changes nothing."""
        if jobs:
            await self._db.write(write_rows, _PUT, [_values(job) for job in jobs])

    async def claim_jobs(self, kind: JobKind, now: int, until: int, limit: int) -> list[Job]:
        """Take jobs that are due, oldest due first; given as they are afterwards, and nobody else gets them."""
        # Most of the time there is none, and the writer is not kept busy with asking.
        if not await self._db.read(_jobs, _DUE, kind, now, 1):
            return []
        # A claim that a power cut undoes only lets the job come up sooner.
        return await self._db.write_soon(_claim, kind, now, until, bounded(limit))

    async def finish_job(self, kind: JobKind, job_id: str) -> None:
        """It is done: forget it."""
        await self._db.write(_run, "DELETE FROM jobs WHERE kind = ? AND id = ?", kind, job_id)

    async def delay_job(self, kind: JobKind, job_id: str, due_at: int, reason: str) -> None:
        """Try it again from `due_at` on; failed or not."""
        await self._db.write(_run, _DELAY, due_at, reason, kind, job_id)

    async def fail_job(self, kind: JobKind, job_id: str, at: int, reason: str) -> None:
        """It is given up; it stays, to be looked at."""
        await self._db.write(_run, _FAIL, at, reason, kind, job_id)

    async def jobs(self, kind: JobKind, limit: int, *, failed: bool | None = None) -> list[Job]:
        """Jobs by `at`; `failed`: only given up ones, or only others."""
        return await self._db.read(_jobs, _LISTS[failed], kind, bounded(limit))

    async def forget_jobs(self, failed_before: int) -> None:
        """Forget those given up before that time."""
        await self._db.write(_run, "DELETE FROM jobs WHERE failed_at < ?", failed_before)


def _values(job: Job) -> tuple[Any, ...]:
    payload = json.encode(job.payload).decode()
    return (
        job.kind,
        job.id,
        job.platform,
        job.account,
        job.at,
        job.due_at,
        payload,
        job.attempts,
        job.failed_at,
        job.reason,
    )


def _run(connection: Connection, sql: str, *values: Any) -> None:
    connection.execute(sql, values)


def _claim(connection: Connection, kind: JobKind, now: int, until: int, limit: int) -> list[Job]:
    due = read_rows(connection, _COLUMNS, _DUE, (kind, now, limit))
    ids = json.encode([row[1] for row in due]).decode()
    connection.execute(_CLAIM, (until, kind, ids))
    return [_job([*row[:5], until, row[6], row[7] + 1, *row[8:]]) for row in due]


def _jobs(connection: Connection, which: str, *values: Any) -> list[Job]:
    return [_job(row) for row in read_rows(connection, _COLUMNS, which, values)]


def _job(row: list[Any]) -> Job:
    kind, job_id, platform, account, at, due_at, payload, attempts, failed_at, reason = row
    return Job(
        kind=kind,
        id=job_id,
        platform=platform,
        account=account,
        at=at,
        due_at=due_at,
        payload=json.decode(payload),
        attempts=attempts,
        failed_at=failed_at,
        reason=reason,
    )
