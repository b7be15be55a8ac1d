"""Work to be done at platforms, in the collection `work` (`jobs` belongs to forgetting what is old).

A claim is a conditional change that leaves its nonce; a look at who left it last tells whose the job is, also where
the answer to the change was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from bson import encode as bson_encode
from msgspec import json

from storage.channel_records import Job, JobKind
from storage.cursors import bounded
from storage.mongodb.connection import Database, Row
from storage.mongodb.flushes import SETTLE_S
from storage.mongodb.writes import encoded


class MongoJobs:
    """`storage.channel_ports.JobStore`."""

    _db: Database

    async def put_jobs(self, jobs: Sequence[Job]) -> None:
        """Keep jobs; one whose kind and id are held already, failed ones too, changes nothing."""
        first: dict[str, Row] = {}
        for job in jobs:
            first.setdefault(_name(job.kind, job.id), _document(job))
        # What no database could hold is to be told as the port's error.
        with self._db.talk():
            documents = encoded(list(first.values()))
        await self._db.send("insert", "work", documents)

    async def claim_jobs(self, kind: JobKind, now: int, until: int, limit: int) -> list[Job]:
        """Take jobs that are due, oldest due first; given as they are afterwards, and nobody else gets them."""
        due = await self._jobs(
            {"kind": kind, "failed": False, "due_at": {"$lte": now}}, [("due_at", 1), ("at", 1), ("id", 1)], limit
        )
        if not due:
            return []
        nonce = token_hex(12)
        await self._db.send("update", "work", [_claim(job, until, nonce) for job in due])
        if not self._db.atomic:
            await asyncio.sleep(SETTLE_S)
        names = [_name(kind, job.id) for job in due]
        ours = {row["_id"]: row for row in await self._db.by_ids("work", names, {}) if row.get("claim") == nonce}
        return [_job(ours[name]) for name in names if name in ours]

    async def finish_job(self, kind: JobKind, job_id: str) -> None:
        """It is done: forget it."""
        with self._db.talk() as db:
            await db.work.delete_one({"_id": _name(kind, job_id)})

    async def delay_job(self, kind: JobKind, job_id: str, due_at: int, reason: str) -> None:
        """Try it again from `due_at` on; failed or not."""
        change = {"due_at": due_at, "reason": reason, "failed": False}
        with self._db.talk() as db:
            await db.work.update_one({"_id": _name(kind, job_id)}, {"$set": change, "$unset": {"failed_at": ""}})

    async def fail_job(self, kind: JobKind, job_id: str, at: int, reason: str) -> None:
        """It is given up; it stays, to be looked at."""
        change = {"failed_at": at, "reason": reason, "failed": True}
        with self._db.talk() as db:
            await db.work.update_one({"_id": _name(kind, job_id)}, {"$set": change})

    async def jobs(self, kind: JobKind, limit: int, *, failed: bool | None = None) -> list[Job]:
        """Jobs by `at`; `failed`: only given up ones, or only others."""
        wanted = [True, False] if failed is None else [failed]
        return await self._jobs({"kind": kind, "failed": {"$in": wanted}}, [("at", 1), ("id", 1)], limit)

    async def forget_jobs(self, failed_before: int) -> None:
        """Forget those given up before that time."""
        with self._db.talk() as db:
            await db.work.delete_many({"failed_at": {"$lt": failed_before}})

    async def _jobs(self, where: Row, sort: list[tuple[str, int]], limit: int) -> list[Job]:
        with self._db.talk() as db:
            return [_job(row) async for row in db.work.find(where, sort=sort, limit=bounded(limit))]


def _name(kind: JobKind, job_id: str) -> str:
    return f"{kind}/{job_id}"


def _document(job: Job) -> Row:
    document: Row = {
        "_id": _name(job.kind, job.id),
        "kind": job.kind,
        "id": job.id,
        "platform": job.platform,
        "account": job.account,
        "at": job.at,
        "due_at": job.due_at,
        # As text: its keys may hold what field names may not.
        "payload": json.encode(job.payload).decode(),
        "attempts": job.attempts,
        "failed": job.failed_at is not None,
        "reason": job.reason,
    }
    return document if job.failed_at is None else {**document, "failed_at": job.failed_at}


def _claim(job: Job, until: int, nonce: str) -> bytes:
    seen = {"_id": _name(job.kind, job.id), "failed": False, "due_at": job.due_at, "attempts": job.attempts}
    change = {"due_at": until, "attempts": job.attempts + 1, "claim": nonce}
    return bson_encode({"q": seen, "u": {"$set": change}})


def _job(row: dict[str, Any]) -> Job:
    return Job(
        kind=row["kind"],
        id=row["id"],
        platform=row["platform"],
        account=row["account"],
        at=row["at"],
        due_at=row["due_at"],
        payload=json.decode(row["payload"]),
        attempts=row["attempts"],
        failed_at=row.get("failed_at"),
        reason=row["reason"],
    )
