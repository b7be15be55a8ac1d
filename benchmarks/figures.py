"""What benchmarks share: medians, the machine they ran on, a table of results."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from msgspec import Struct

LIBRARIES = ("weir", "faust-streaming", "msgspec", "orjson", "uvloop", "uvicorn", "nicegui", "aiokafka")


class Figure(Struct, frozen=True, kw_only=True):
    """One measured number; `spread` is (smallest, largest) of the rounds behind the median."""

    name: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None
    note: str = ""

    def row(self) -> str:
        """The figure as a line of a Markdown table."""
        low_high = f"{pretty(self.spread[0])} to {pretty(self.spread[1])}" if self.spread else ""
        return f"| {self.name} | {pretty(self.value)} {self.unit} | {low_high} | {self.note} |"


def pretty(number: float) -> str:
    """A number with as many digits as mean something."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def rounds(measure: Callable[[], float], count: int = 3) -> tuple[float, tuple[float, float]]:
    """The median of `count` measurements, and (smallest, largest)."""
    values = [measure() for _ in range(count)]
    return median(values), (min(values), max(values))


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def quantile(values: list[float], share: float) -> float:
    """The value of nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-int(share * 1000) * len(ranked) // 1000) - 1))]


def machine() -> str:
    """The machine and the versions, as lines of Markdown."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    load = os.getloadavg()[0]
    system = f"{platform.system()} {platform.release()}"
    return (
        f"- machine: {_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {system}\n"
        f"- load average before the start: {load:.1f}\n"
        f"- Python {sys.version.split()[0]}; {libraries}\n"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
