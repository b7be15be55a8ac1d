"""What a run of the benchmark leaves in benchmarks/results.json. docs/benchmarks.md explains every key."""

from __future__ import annotations

from statistics import median

from msgspec import Struct


class Rate(Struct, frozen=True, kw_only=True):
    """Events a second of one contender in one comparison: medians, with the smallest and largest round.

    `per_cpu_s`: by the processor's time of the contender's process from its first record on; `per_cpu_s_in_all`: with
    its start-up; `per_s`: by the clock.
    """

    name: str
    label: str
    per_cpu_s: float
    low: float
    high: float
    per_cpu_s_in_all: float
    per_s: float
    peak_mib: float
    rounds: list[float]


class Ratio(Struct, frozen=True, kw_only=True):
    """The median of ratios within one round, and what is wanted of it."""

    name: str
    value: float
    target: float
    comparison: str

    @property
    def reached(self) -> bool:
        """Whether it is what is wanted."""
        return self.value >= self.target


class Delay(Struct, frozen=True, kw_only=True):
    """From the answer 202 to the delta on the bus at a share of capacity. Times in ms."""

    share: float
    per_s: float
    p50_ms: float
    p99_ms: float
    probes: int


class Workers(Struct, frozen=True, kw_only=True):
    """Events a second by the clock of one worker and of two, and their ratio."""

    one_per_s: float
    two_per_s: float
    ratio: float
    note: str


class Results(Struct, kw_only=True):
    """One run."""

    command: str
    at: str
    machine: str
    versions: dict[str, str]
    messages: int
    events: int
    rounds: int
    partitions: int
    frames: list[Rate] = []
    plain: list[Rate] = []
    ratios: list[Ratio] = []
    capacity_per_s: float = 0.0
    delays: list[Delay] = []
    workers: Workers | None = None


def ratio_of(numerators: list[float], denominators: list[float]) -> float:
    """The median of the ratios of the same round."""
    return median(a / b for a, b in zip(numerators, denominators, strict=True))
