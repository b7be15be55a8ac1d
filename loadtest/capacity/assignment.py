"""Who gets which partitions when a worker comes or goes: sticky, as the group's assignor is, or dealt anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Held: TypeAlias = dict[str, list[int]]
"""The partitions of each worker."""


def dealt(partitions: int, workers: Sequence[str]) -> Held:
    """Partition n to worker n modulo their number, whoever had it."""
    return {worker: list(range(place, partitions, len(workers))) for place, worker in enumerate(workers)}


def sticky(before: Mapping[str, Sequence[int]], workers: Sequence[str], partitions: int) -> Held:
    """Every worker as many as the others (one more at most), each keeping what it has as far as that allows."""
    fewest, more = divmod(partitions, len(workers))
    order = sorted(workers, key=lambda worker: -len(before.get(worker, ())))
    held: Held = {}
    homeless = set(range(partitions))
    for place, worker in enumerate(order):
        most = fewest + (place < more)
        held[worker] = sorted(before.get(worker, ()))[:most]
        homeless -= set(held[worker])
    rest = sorted(homeless)
    for place, worker in enumerate(order):
        missing = fewest + (place < more) - len(held[worker])
        held[worker] = sorted(held[worker] + rest[:missing])
        del rest[:missing]
    return held


def moved(before: Mapping[str, Sequence[int]], after: Mapping[str, Sequence[int]]) -> list[int]:
    """The partitions that another worker has afterwards."""
    owner = {partition: worker for worker, held in before.items() for partition in held}
    return sorted(p for worker, held in after.items() for p in held if owner.get(p, worker) != worker)
