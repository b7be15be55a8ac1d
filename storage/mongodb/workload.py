"""What is open now, in groups, and response clocks that ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.desk_list import WAITING
from storage.mongodb.inbox import LOWEST
from storage.workload_records import EndedClock, OpenGroup

Group: TypeAlias = tuple[str, str, str | None, str | None]
_NAMES = {"platform": "$platform", "account": "$account", "assignee": "$desk.assignee", "team": "$desk.team"}
_PLACED = {"platform": 1, "account": 1, "desk.assignee": 1, "desk.team": 1}


class MongoWorkload:
    """`storage.workload_ports.WorkloadStore`."""

    _db: Database

    async def open_groups(self, now: int) -> list[OpenGroup]:
        """All open conversations that are neither archived nor snoozed, counted."""
        where: Row = {
            "row.last_at": {"$gte": LOWEST},
            "row.closed": {"$ne": True},
            "desk.archived": {"$ne": True},
            "$nor": [{"desk.snoozed_until": {"$gt": now}}],
        }
        counts: dict[Group, dict[str, int]] = {}
        for name, more in (
            ("open", {}),
            ("waiting", {"$or": list(WAITING)}),
            ("at_risk", {"row.sla.state": "at_risk"}),
            ("breached", {"row.sla.state": "breached"}),
            ("running", {"row.sla.due_at": {"$gte": LOWEST}}),
        ):
            for group, count in (await self._counted({**where, **more})).items():
                counts.setdefault(group, {})[name] = count
        due = await self._soonest(where, {group for group, known in counts.items() if known.get("running")})
        return [
            OpenGroup(
                platform=group[0], account=group[1], assignee=group[2], team=group[3], open=known.get("open", 0),
                waiting=known.get("waiting", 0), at_risk=known.get("at_risk", 0), breached=known.get("breached", 0),
                due_at=due.get(group),
            )
            for group, known in counts.items()
        ]  # fmt: skip

    async def _counted(self, where: Row) -> dict[Group, int]:
        steps: list[Row] = [{"$match": where}, {"$group": {"_id": _NAMES, "count": {"$sum": 1}}}]
        with self._db.talk() as db:
            return {_group(row["_id"]): row["count"] async for row in await db.conversations.aggregate(steps)}

    async def _soonest(self, where: Row, groups: set[Group]) -> dict[Group, int]:
        """When the first clock of each group is due: the list of what runs is read until every group was met."""
        running = {**where, "row.sla.due_at": {"$gte": LOWEST}}
        shown = {**_PLACED, "row.sla.due_at": 1}
        found: dict[Group, int] = {}
        if not groups:
            return found
        with self._db.talk() as db:
            rows = db.conversations.find(running, shown, sort=[("row.sla.due_at", 1)], batch_size=ROWS_A_FETCH)
            async for row in rows:
                found.setdefault(_group({**row, **row.get("desk", {})}), row["row"]["sla"]["due_at"])
                if groups <= found.keys():
                    break
        return found

    async def ended_clocks(self, since: int, limit: int) -> tuple[list[EndedClock], int]:
        """The latest response clocks that ended since then, and the time from which on none is left out."""
        # What is kept as its end is never before its answer, so that none is missed that was answered since.
        where: Row = {"ended_at": {"$gte": since}, "kind": {"$ne": "resolution"}}
        with self._db.talk() as db:
            found = db.clocks.find(where, sort=[("ended_at", -1)], limit=limit + 1, batch_size=ROWS_A_FETCH)
            rows = await found.to_list()
        whole = since if len(rows) <= limit else 1 + min(row["ended_at"] for row in rows)
        ended = [row for row in rows if _tells(row) and _ended_at(row) >= whole]
        keys = sorted({row["key"] for row in ended})
        also: Row = {"row.last_at": {"$gte": LOWEST}}
        places = {row["_id"]: row for row in await self._db.by_ids("conversations", keys, _PLACED, also)}
        return [_clock(row, places[row["key"]]) for row in ended if row["key"] in places], whole


def _group(of: Mapping[str, Any]) -> Group:
    return of["platform"], of["account"], of.get("assignee"), of.get("team")


def _tells(row: Row) -> bool:
    return row["answered_at"] is not None or row["breached_at"] is not None


def _ended_at(row: Row) -> int:
    return row["due_at"] if row["answered_at"] is None else row["answered_at"]


def _clock(row: Row, place: Row) -> EndedClock:
    platform, account, assignee, team = _group({**place, **place.get("desk", {})})
    return EndedClock(
        platform=platform, account=account, assignee=assignee, team=team, kind=row["kind"],
        started_at=row["started_at"], ended_at=_ended_at(row), answered=row["answered_at"] is not None,
        breached=row["breached_at"] is not None,
    )  # fmt: skip
