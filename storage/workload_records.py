"""Records of the workload: what is open now, and response clocks that ended, by what decides who sees them.

All times are integer milliseconds since the epoch. Both are `Placed`: a scope says whether somebody sees them.
"""

from __future__ import annotations

from msgspec import Struct


class OpenGroup(Struct, frozen=True, kw_only=True):
    """How many open conversations, neither archived nor snoozed, have these things in common.

    `waiting`: the customer's message is the last, or a response clock runs; `at_risk` and `breached`: by the clock that
    runs; `due_at`: the soonest at which one of their running clocks is due.
    """

    platform: str
    account: str
    assignee: str | None
    team: str | None
    open: int
    waiting: int = 0
    at_risk: int = 0
    breached: int = 0
    due_at: int | None = None
    labels: tuple[str, ...] = ()
    """Of none: labels are no part of what they have in common."""


class EndedClock(Struct, frozen=True, kw_only=True, gc=False):
    """A response clock that ended with an answer, or missed and without one, and whose conversation it is now.

    `ended_at`: when it was answered, else when it was due: when its conversation was closed is not kept with it.
    """

    platform: str
    account: str
    assignee: str | None
    team: str | None
    kind: str
    started_at: int
    ended_at: int
    answered: bool
    breached: bool
    labels: tuple[str, ...] = ()
    """As of a group."""


__all__ = ["EndedClock", "OpenGroup"]
