"""Every benchmark: prints the figures and writes them to benchmarks/RESULTS.md.

Run `python -m benchmarks [NAME …]`; where some are named their sections alone are written anew. Each rate is the
median of three rounds at least; ratios say more than rates, since machines differ. The way from Kafka and its peers
are measured by `python -m benchmarks.pipeline`, faults are counted by `python -m tests.chaos`: their sections are
kept. Those of recognition need collections of data, which `--data FOLDER` names; without it they are left out, and
what was measured before is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    core,
    embedded,
    inbox,
    inbox_list,
    inbox_screen,
    labels,
    replay,
    search,
    timers,
    tracking,
    webhooks,
)
from benchmarks.figures import Figure, machine

RESULTS = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = """`python -m benchmarks`, {today:%Y-%m-%d}. The events are the simulator's: a flash sale with messages,
receipts, notifications, translations, attachments, checkpoints and every trouble.
"""
INTRODUCED = ""
HEADER = "| figure | median | rounds | note |\n|---|---|---|---|"


class Known:
    """The core's figures, measured once and compared with by the others."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []

    def figures(self) -> list[Figure]:
        """Every figure of the core."""
        if not self._figures:
            self._figures = core.measure()
        return self._figures

    def rate(self, name: str) -> float:
        """One of them."""
        return next(f.value for f in self.figures() if f.name == name)


def main(arguments: list[str]) -> int:
    """Run the benchmarks named, or all, and write their sections; those of others stay as they were."""
    names, data = asked(arguments)
    known = Known()
    benchmarks: dict[str, Callable[[], list[Figure]]] = {
        "core": known.figures,
        "replay": lambda: replay.measure(core=known.rate(replay.CORE_FIGURE)),
        "embedded": lambda: embedded.measure(core=known.rate(embedded.CORE_FIGURE)),
        "inbox": inbox.measure,
        "inbox_list": inbox_list.measure,
        "inbox_screen": inbox_screen.measure,
        "labels": lambda: labels.measure(data) if data else [],
        "timers": timers.measure,
        "tracking": lambda: tracking.measure(data / "tracking_numbers") if data else [],
        "webhooks": webhooks.measure,
        "search": search.measure,
    }
    if unknown := set(names) - set(benchmarks):
        print(f"unknown: {', '.join(sorted(unknown))}; known ones: {', '.join(benchmarks)}", file=sys.stderr)
        return 2
    today = datetime.now(UTC)
    introduction = "\n".join(["# Measured\n", INTRODUCTION.format(today=today), machine()])
    sections = kept()
    for name, run in benchmarks.items():
        if names and name not in names:
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        figures = run()
        if not figures:
            print(f"{name}: left out, --data names no folder", file=sys.stderr)
            continue
        rows = "\n".join(figure.row() for figure in figures)
        digest = f"\nDigest of the anomalies found: `{core.digest()}`\n" if name == "core" else ""
        command = " ".join([*names, *(["--data FOLDER"] if data else [])])
        when = f"`python -m benchmarks {command}`, {today:%Y-%m-%d %H:%M}.\n\n" if names else ""
        sections[name] = f"## {name}\n\n{when}{HEADER}\n{rows}\n{digest}"
        print(sections[name], flush=True)
    parts = [
        (names and sections.pop(INTRODUCED, "")) or introduction,
        *(sections[name] for name in benchmarks if name in sections),
        *(section for name, section in sections.items() if name not in benchmarks and name != INTRODUCED),
    ]
    RESULTS.write_text("\n".join(parts), encoding="utf-8")
    print(f"written to {RESULTS}", file=sys.stderr)
    return 0


def asked(arguments: list[str]) -> tuple[list[str], Path | None]:
    """The benchmarks named, and the folder with collections of data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    return options.names, options.data


def kept() -> dict[str, str]:
    """The sections written down before, by name, and under INTRODUCED what stands before them."""
    if not RESULTS.exists():
        return {}
    introduction, *sections = RESULTS.read_text(encoding="utf-8").split("\n## ")
    by_name = {section.partition("\n")[0]: f"## {section}" for section in sections}
    return {INTRODUCED: introduction, **by_name}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
