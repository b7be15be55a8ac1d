"""The workload's part of the storage port: what is open now by whom it waits for, and how response clocks ended."""

from __future__ import annotations

from typing import Protocol

from storage.workload_records import EndedClock, OpenGroup


class WorkloadStore(Protocol):
    """Counts for supervisors."""

    async def open_groups(self, now: int) -> list[OpenGroup]:
        """All open conversations that are neither archived nor snoozed, counted; what the inbox's tab `all` lists."""
        ...

    async def ended_clocks(self, since: int, limit: int) -> tuple[list[EndedClock], int]:
        """The latest first- and next-response clocks with `ended_at` >= `since`, in any order, `limit` at most.

        And the time from which on none is left out: `since`, or a later one when there are more than `limit`. A clock
        that was stopped before its deadline and without an answer says nothing and is left out.
        """
        ...


__all__ = ["WorkloadStore"]
