"""How fast `weir replay` is beside the bare core, and how much memory it takes as traces grow.

`python -m benchmarks.replay [--messages N]`
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import traffic
from benchmarks.core import measure as measure_core
from benchmarks.figures import Figure, pretty

MESSAGES = 1_000_000
LONGER = 2
CORE_FIGURE = "decode + apply, JSON lines"
LAUNCHER = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(json.dumps([time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""
"""A small process between: a child's peak memory begins with its parent's, and this one's parent is big."""


def measure(messages: int = MESSAGES, core: float | None = None) -> list[Figure]:
    """Rates and memory of the program at N messages, and at LONGER times as many, where its memory must not grow."""
    core = core or next(f.value for f in measure_core() if f.name == CORE_FIGURE)
    with tempfile.TemporaryDirectory() as folder:
        idle, _ = _run(_written(Path(folder) / "none.ndjson", b""))
        small, small_rss, small_all = _replayed(traffic.trace(Path(folder), messages), idle, times=3)
        big, big_rss, big_all = _replayed(traffic.trace(Path(folder), LONGER * messages), idle, times=1)
    return [
        Figure(name=f"weir replay, {messages:,} messages", value=small, unit="events/s", spread=small_all),
        Figure(name=f"weir replay, {LONGER * messages:,} messages", value=big, unit="events/s", spread=big_all),
        Figure(name="weir replay / core (JSON lines)", value=small / core, unit=""),
        Figure(name=f"rate at {LONGER} N / rate at N", value=big / small, unit=""),
        Figure(name=f"peak memory, {messages:,} messages", value=small_rss, unit="MiB"),
        Figure(name=f"peak memory, {LONGER * messages:,} messages", value=big_rss, unit="MiB"),
        Figure(name=f"peak memory at {LONGER} N / at N", value=big_rss / small_rss, unit=""),
        Figure(name="start of the program", value=idle, unit="s", note="taken off the times above"),
    ]


def _replayed(path: Path, idle: float, *, times: int) -> tuple[float, float, tuple[float, float]]:
    with path.open("rb") as file:
        events = sum(1 for _ in file)
    runs = [_run(path) for _ in range(times)]
    rates = [events / max(wall - idle, 1e-9) for wall, _ in runs]
    return median(rates), max(rss for _, rss in runs), (min(rates), max(rates))


def _run(path: Path) -> tuple[float, float]:
    """(seconds, peak MiB) of one replay in a process of its own."""
    report = path.with_suffix(".report.json")
    command = [sys.executable, "-m", "weir", "replay", str(path), "--report", str(report)]
    done = subprocess.run([sys.executable, "-c", LAUNCHER, *command], stdout=subprocess.PIPE, check=True)
    wall, kib = json.loads(done.stdout)
    return wall, kib / 1024


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    for figure in measure(parser.parse_args().messages):
        print(f"{figure.name:<45} {pretty(figure.value):>12} {figure.unit}")


if __name__ == "__main__":
    main()
