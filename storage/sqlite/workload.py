"""What is open now, in groups, and response clocks that ended."""

# ruff: noqa: S608 - what is put together are constants of this folder; every value is bound

from __future__ import annotations

from sqlite3 import Connection

from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.desk import WAITING
from storage.workload_records import EndedClock, OpenGroup

_GROUP = "c.platform, c.account, c.assignee, c.team"
# `place` is when the running clock is due, where one runs. All of it is in the index, so that no row is read.
_COUNTS = (
    "count(*) AS n",
    f"sum({WAITING}) AS waiting",
    "sum(coalesce(c.sla = 'at_risk',0)) AS at_risk",
    "sum(coalesce(c.sla = 'breached',0)) AS breached",
    "min(CASE WHEN c.sla IS NOT NULL THEN c.place END) AS due_at",
)
_OPEN = f"""FROM conversations c INDEXED BY inbox WHERE c.closed IS NOT 1 AND c.archived = 0
    AND (c.snoozed_until IS NULL OR c.snoozed_until <= ?) GROUP BY {_GROUP}"""
# Word for word as in the index sla_ended.
_ENDED_AT = "coalesce(answered_at, due_at)"
_ENDED = f"""FROM (SELECT conversation, kind, started_at, {_ENDED_AT} AS ended_at, answered_at, breached_at
        FROM sla INDEXED BY sla_ended
        WHERE kind <> 'resolution' AND (answered_at IS NOT NULL OR (stopped = 1 AND breached_at IS NOT NULL))
        AND {_ENDED_AT} >= ? ORDER BY {_ENDED_AT} DESC LIMIT ?) s
    CROSS JOIN conversations c ON c.id = s.conversation"""
_ENDED_COLUMNS = (
    f"{_GROUP}, s.kind, s.started_at, s.ended_at, s.answered_at IS NOT NULL AS answered,"
    " s.breached_at IS NOT NULL AS breached"
)


class SqliteWorkload:
    """`storage.workload_ports.WorkloadStore`."""

    _db: Database

    async def open_groups(self, now: int) -> list[OpenGroup]:
        """All open conversations that are neither archived nor snoozed, counted."""
        return await self._db.read(_groups, now)

    async def ended_clocks(self, since: int, limit: int) -> tuple[list[EndedClock], int]:
        """The latest response clocks that ended since then, and the time from which on none is left out."""
        return await self._db.read(_clocks, since, limit)


def _groups(connection: Connection, now: int) -> list[OpenGroup]:
    return [
        OpenGroup(
            platform=platform, account=account, assignee=assignee, team=team, open=count, waiting=waiting,
            at_risk=at_risk, breached=breached, due_at=due_at,
        )
        for platform, account, assignee, team, count, waiting, at_risk, breached, due_at in read_rows(
            connection, f"{_GROUP}, {', '.join(_COUNTS)}", _OPEN, (now,)
        )
    ]  # fmt: skip


def _clocks(connection: Connection, since: int, limit: int) -> tuple[list[EndedClock], int]:
    found = [
        EndedClock(
            platform=platform, account=account, assignee=assignee, team=team, kind=kind, started_at=started_at,
            ended_at=ended_at, answered=bool(answered), breached=bool(breached),
        )
        for platform, account, assignee, team, kind, started_at, ended_at, answered, breached in read_rows(
            connection, _ENDED_COLUMNS, _ENDED, (since, limit + 1)
        )
    ]  # fmt: skip
    if len(found) <= limit:
        return found, since
    # Of those that ended at the last one's instant some may be left out.
    whole = 1 + min(one.ended_at for one in found)
    return [one for one in found if one.ended_at >= whole], whole
