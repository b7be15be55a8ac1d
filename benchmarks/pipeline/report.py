"""The tables of a run, in RESULTS.md; the same figures for programs, in results.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.figures import pretty
from benchmarks.pipeline.results import Rate, Results

RESULTS = Path(__file__).parents[1] / "RESULTS.md"
FIGURES = Path(__file__).parents[1] / "results.json"
HEADING = "## pipeline"
HEADER = (
    "| contender | events per CPU second | rounds | with start-up | events per second | of L | µs over L | memory |\n"
    "|---|---|---|---|---|---|---|---|"
)
EXPLANATION = """From a real Kafka, one core a contender (core 0), the broker on core 1; every contender applies the
same events with the same engine, hands out its changes every 30,000 events and ended with the same states. Processor
time is that of all threads of the contender's process, user and system, from its first record on. Both tables are
comparisons of their own: one-event records and frames of 250 events are never set against each other. L is what the
job alone takes: decode and apply from memory in partition order. "µs over L" is what an event costs beyond it.
"""


def section(results: Results) -> str:
    """A run as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in sorted(results.versions.items()))
    sizes = f"{results.events:,} events of {results.messages:,} messages, {results.partitions} partitions"
    parts = [
        f"{HEADING}\n",
        f"`{results.command}`, {results.at}; {sizes}, {results.rounds} rounds.\n",
        results.machine + f"- contenders: {versions}\n",
    ]
    if results.plain or results.frames:
        parts.append(EXPLANATION)
    if results.plain:
        parts.append(f"### One event per record\n\n{_table(results.plain)}\n")
    if results.frames:
        parts.append(f"### Frames of 250 events, fed to all\n\n{_table(results.frames)}\n")
    if results.ratios:
        rows = "\n".join(
            f"| {ratio.comparison} | {ratio.name} | {pretty(ratio.value)} | {ratio.target:g} | "
            f"{'yes' if ratio.reached else 'no'} |"
            for ratio in results.ratios
        )
        head = "| records | ratio, median over the rounds | measured | wanted | reached |\n|---|---|---|---|---|"
        parts.append(f"### Ratios\n\n{head}\n{rows}\n")
    parts += _delays(results) + _workers(results)
    return "\n".join(parts)


def _table(rates: Sequence[Rate]) -> str:
    limit = next((rate.per_cpu_s for rate in rates if rate.name == "limit-bare"), None)
    rows = [
        f"| {rate.label} | {pretty(rate.per_cpu_s)} | {pretty(rate.low)} to {pretty(rate.high)} "
        f"| {pretty(rate.per_cpu_s_in_all)} | {pretty(rate.per_s)} "
        f"| {pretty(rate.per_cpu_s / limit) if limit else ''} | {_over(rate, limit)} | {pretty(rate.peak_mib)} MiB |"
        for rate in rates
    ]
    return "\n".join([HEADER, *rows])


def _over(rate: Rate, limit: float | None) -> str:
    """What an event costs beyond the job itself, in microseconds of processor time."""
    return "" if limit is None or rate.name == "limit-bare" else f"{1e6 / rate.per_cpu_s - 1e6 / limit:.1f}"


def _delays(results: Results) -> list[str]:
    if not results.delays:
        return []
    head = "| share of capacity | events per second | p50 | p99 | probes |\n|---|---|---|---|---|"
    rows = "\n".join(
        f"| {delay.share:.0%} | {pretty(delay.per_s)} | {delay.p50_ms:.0f} ms | {delay.p99_ms:.0f} ms "
        f"| {delay.probes:,} |"
        for delay in results.delays
    )
    capacity = f"Capacity, everything on this machine's cores: {pretty(results.capacity_per_s)} events per second.\n"
    return [f"### From the answer 202 to the delta on the bus\n\n{capacity}\n{head}\n{rows}\n"]


def _workers(results: Results) -> list[str]:
    if results.workers is None:
        return []
    found = results.workers
    rates = f"{pretty(found.one_per_s)} and {pretty(found.two_per_s)} events per second: {found.ratio:.2f} times."
    return [f"### One worker and two\n\n{rates} {found.note}\n"]


def write(results: Results) -> None:
    """Replace the section in RESULTS.md and the figures beside it."""
    FIGURES.write_bytes(msgspec.json.format(msgspec.json.encode({"pipeline": results}), indent=2) + b"\n")
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else "# Measured\n\n"
    RESULTS.write_text(with_section(text, section(results)), "utf-8")


def with_section(text: str, written: str) -> str:
    """The results with this section as the last."""
    return text.partition(HEADING)[0].rstrip() + "\n\n" + written
