"""Backlogs as water in basins: what comes in, what a worker can take, how long it takes to be level again.

Time passes in steps; loads are in shares of what one worker can take, so that nothing here depends on a machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from loadtest.capacity.assignment import Held, dealt, moved, sticky
from loadtest.capacity.skew import loads

STEP_S = 0.5
EMPTY = 1e-9
FOR_EVER_S = 4 * 3600.0


class Basin(Struct, frozen=True, kw_only=True):
    """One worker's backlog over time.

    `longest_s`: how long the last of it waited at the worst; `behind_s`: for how long there was one; `level_s`: when it
    was gone for good; None: it never was.
    """

    longest_s: float
    behind_s: float
    level_s: float | None


def fill(inflow: Callable[[float], float], until_s: float) -> Basin:
    """A backlog under an inflow, in worker-seconds a second at a time (s), of a worker that takes all it can."""
    backlog = most = behind = 0.0
    level: float | None = 0.0
    for step in range(int(until_s / STEP_S)):
        at = step * STEP_S
        backlog = max(0.0, backlog + (inflow(at) - 1.0) * STEP_S)
        if backlog > EMPTY:
            level = None
            behind += STEP_S
            most = max(most, backlog)
        elif level is None:
            level = at
    # The worker does a second's work in a second: what came last waits for as long as all before it takes.
    return Basin(longest_s=most, behind_s=behind, level_s=level)


class Change(Struct, frozen=True, kw_only=True):
    """A worker that comes or goes.

    Attributes:
        leaves: one goes; else one comes.
        unnoticed_s: how long a dead worker's partitions stand before anybody knows.
        round_s: how long every worker stands while the group agrees.
        loading_s: how long a partition stands at its new worker until its states are there.
    """

    leaves: bool
    unnoticed_s: float = 0.0
    round_s: float = 0.0
    loading_s: float = 0.0


class Recovery(Struct, frozen=True, kw_only=True):
    """What a change cost: partitions moved, how long those and the others stood, and when no backlog was left.

    `before` and `after`: the busiest worker's use; `level_s`: None when somebody has more than a worker can do.
    """

    moved: int
    stood_s: float
    others_stood_s: float
    before: float
    after: float
    level_s: float | None


def recover(
    shares: Sequence[float],
    *,
    partitions: int,
    workers: int,
    utilisation: float,
    change: Change,
    seed: int = 1,
    keep: bool = True,
) -> Recovery:
    """A group at a mean `utilisation` of its workers before the change; `keep`: sticky, else dealt anew."""
    names = [f"w{number}" for number in range(workers)]
    before = dealt(partitions, names)
    staying = names[:-1] if change.leaves else [*names, f"w{workers}"]
    after = sticky(before, staying, partitions) if keep else dealt(partitions, staying)
    spread = [load * utilisation * workers for load in loads(shares, partitions, seed)]
    gone = moved(before, after)
    stood = change.unnoticed_s + change.round_s + change.loading_s
    waits = {partition: stood if partition in set(gone) else change.round_s for partition in range(partitions)}
    if change.leaves:
        waits |= dict.fromkeys(before[names[-1]], stood)
    levels = [_after(held, spread, waits) for held in after.values()]
    return Recovery(
        moved=len(gone),
        stood_s=stood,
        others_stood_s=change.round_s,
        level_s=None if None in levels else max(level for level in levels if level is not None),
        before=max(sum(spread[p] for p in held) for held in before.values()),
        after=max(sum(spread[p] for p in held) for held in after.values()),
    )


def _after(held: Sequence[int], spread: Sequence[float], waits: Mapping[int, float]) -> float | None:
    """When a worker is level again: its partitions fill while they stand, then it takes all it can. None: never."""
    rate = sum(spread[p] for p in held)
    if rate >= 1:
        return None
    # Work is conserved: at the end of the last wait so much has come in, and the worker has done what it could.
    stands = min((waits[p] for p in held), default=0.0)
    last = max((waits[p] for p in held), default=0.0)
    free = sum(spread[p] for p in held if waits[p] < last)
    queue = max(0.0, free * last - (last - stands)) if free else 0.0
    queue += sum(spread[p] for p in held if waits[p] == last) * last
    return last + queue / (1 - rate)


def burst(*, normal: float, others: float, times: float, seconds: float) -> Basin:
    """A shop of `normal` load (of a worker's) writes so many times as much for so long, beside `others` on it."""
    return fill(lambda at: others + normal * (times if at < seconds else 1.0), seconds + FOR_EVER_S)


def through(curve: Sequence[float], slot_s: float, capacity: float) -> Basin:
    """A day's curve (multiples of a normal day) against workers bought for `capacity` normal days."""

    def inflow(at: float) -> float:
        return curve[min(int(at / slot_s), len(curve) - 1)] / capacity

    return fill(inflow, slot_s * len(curve))


__all__ = ["Basin", "Change", "Held", "Recovery", "burst", "fill", "recover", "through"]
