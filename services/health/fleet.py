"""All processes of a deployment as one of them sees them: who lives, and which partitions are looked after. No I/O.

How old a sign of life is, is measured from when it was seen to change, by this process's steady clock: the clocks of
the machines need not agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from services.health.heartbeats import LIMITS_MS, monotonic_ms
from services.health.signs import Report, report_of
from storage.records import ProcessBeat

FRESH_MS = 5_000
"""A process that said nothing for this long is taken for gone."""
GRACE_MS = 10_000
"""For this long a partition may be between two processes before anybody is told."""
WORKING = ("worker", "serve")


class Seen(Struct):
    """A process, what it last said, and when that was seen to change (ms of the steady clock)."""

    beat: ProcessBeat
    report: Report
    at: int


class Fleet:
    """Follows the signs of life. Tell it what the store has by `observe`, about once a second."""

    def __init__(self, partitions: int, *, steady: Callable[[], int] = monotonic_ms) -> None:
        self._steady = steady
        self._seen: dict[str, Seen] = {}
        self._served = dict.fromkeys(range(partitions), steady())

    def observe(self, beats: Iterable[ProcessBeat], now: int) -> None:
        """The signs of life as they stand in the store at `now` (ms of this process's wall clock)."""
        steady, before = self._steady(), self._seen
        self._seen = {}
        for beat in beats:
            known = before.get(beat.process)
            if known is not None and known.beat.at == beat.at:
                self._seen[beat.process] = known
            else:
                # One seen for the first time may be an old one: then only the wall clocks can tell its age.
                age = max(0, now - beat.at) if known is None else 0
                self._seen[beat.process] = Seen(beat, report_of(beat), steady - age)
        for partition in self.served():
            if partition in self._served:
                self._served[partition] = steady

    def living(self) -> list[Seen]:
        """Every process that gave a sign of life lately and did not say good-bye."""
        since = self._steady() - FRESH_MS
        return [seen for seen in self._seen.values() if seen.at >= since and not seen.report.stopped]

    def workers(self) -> list[Seen]:
        """The living ones that process partitions."""
        return [seen for seen in self.living() if seen.beat.role in WORKING]

    def served(self) -> set[int]:
        """The partitions that a living process looks after whose engine and persister work."""
        parts = [(part, LIMITS_MS[part]) for part in ("engine", "persister")]
        return {
            partition
            for seen in self.workers()
            if seen.report.ready and all((self.age_of(seen, part) or 0) <= limit for part, limit in parts)
            for partition in seen.beat.partitions
        }

    def forsaken(self) -> dict[int, int]:
        """Partitions nobody looks after for longer than a hand-over takes, and for how long (ms)."""
        steady = self._steady()
        return {p: steady - since for p, since in self._served.items() if steady - since > GRACE_MS}

    def youngest(self, part: str) -> int | None:
        """How long ago (ms) any living process's part gave a sign of life; None when there is none."""
        ages = [age for seen in self.workers() if (age := self.age_of(seen, part)) is not None]
        return min(ages, default=None)

    def age_of(self, seen: Seen, part: str) -> int | None:
        """How long ago (ms) that part of that process gave a sign of life; None when it has no such part."""
        age = seen.report.ages.get(part)
        return None if age is None else age + self._steady() - seen.at

    def waiting_ms(self) -> int | None:
        """The age of the oldest entry that a living process has not saved yet; None when none waits.

        As it was told: between two signs of life it may have been saved, and if not the next one says so.
        """
        return max((s.report.waiting_ms for s in self.workers() if s.report.waiting_ms is not None), default=None)

    def applied_unsaved(self) -> bool:
        """Whether everything accepted is applied and some of it only waits to be saved."""
        reports = [seen.report for seen in self.workers()]
        return any(r.unsaved for r in reports) and not any(lag for r in reports for lag in r.lag.values())

    def troubles(self) -> list[str]:
        """What the living processes say is wrong with them, as sentences."""
        return [f"{seen.beat.process}: {trouble}" for seen in self.living() for trouble in seen.report.troubles]


__all__ = ["Fleet", "Seen"]
