"""The tables of docs/scaling.md that need no measurement: they follow from the simulations and their seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from loadtest.capacity.assignment import dealt, moved, sticky
from loadtest.capacity.backlog import Change, Recovery, burst, recover, through
from loadtest.capacity.skew import imbalance, zipf
from loadtest.peak import SLOTS_AN_HOUR, five_minutes

TRIALS, SETS = 100, 40
POPULATIONS = ((50, 0.8), (1_000, 0.8), (10_000, 1.0))
"""(shops, exponent): a big seller; an agency; a marketplace's own view."""
DEATH = Change(leaves=True, unnoticed_s=6.0, round_s=1.0, loading_s=1.0)
LEAVE = Change(leaves=True, round_s=1.0, loading_s=1.0)
JOIN = Change(leaves=False, round_s=1.0, loading_s=1.0)
"""What is not seen for the session time-out is dead; agreeing and loading took less than a second each in tests."""
CROWD = (1_000, 0.8)
Row = Sequence[object]


def everything(trials: int = TRIALS, sets: int = SETS) -> Iterable[str]:
    """Every table as Markdown, of so many sets of shops."""
    yield imbalances(trials)
    yield moves()
    yield recoveries(sets)
    yield hot_shops()
    yield sale_days()


def table(title: str, header: Row, rows: Iterable[Row]) -> str:
    """A Markdown table under its title."""
    lines = [header, ["---"] * len(header), *rows]
    body = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    return f"### {title}\n\n{body}\n"


def imbalances(trials: int) -> str:
    """The busiest worker against the mean one."""
    rows: list[Row] = []
    for shops, exponent in POPULATIONS:
        shares = zipf(shops, exponent)
        for workers, partitions in ((4, 8), (4, 32), (4, 128), (16, 64), (16, 256), (16, 1024), (64, 256), (64, 1024)):
            count = imbalance(shares, partitions, workers, trials=trials)
            load = imbalance(shares, partitions, workers, trials=trials, weighed=True)
            floor = max(1.0, shares[0] * workers)
            numbers = (f"{n:.2f}" for n in (count.p50, count.p95, count.p99, load.p95, floor))
            rows.append((f"{shops:,} (exponent {exponent})", workers, partitions, *numbers))
    header = ("shops", "workers", "partitions", "p50", "p95", "p99", "p95 if given out by load", "no less than")
    return table(f"Load of the busiest worker over the mean worker, {trials} sets of shops", header, rows)


def moves() -> str:
    """Partitions that change hands."""
    rows: list[Row] = []
    for partitions, workers in ((64, 2), (64, 4), (64, 8), (256, 16), (256, 64)):
        names = [f"w{n}" for n in range(workers)]
        before = dealt(partitions, names)
        for what, staying in (("joins", [*names, "new"]), ("leaves", names[:-1])):
            counts = (len(moved(before, assign)) for assign in _assigned(before, staying, partitions))
            shares = (f"{count} ({count / partitions:.0%})" for count in counts)
            rows.append((partitions, workers, f"one {what}", *shares))
    return table("Partitions that change hands", ("partitions", "workers", "", "sticky", "dealt anew"), rows)


def recoveries(sets: int) -> str:
    """A worker dies, leaves or joins under load."""
    shares = zipf(*CROWD)
    rows: list[Row] = []
    for what, change in (("dies", DEATH), ("is stopped in order", LEAVE), ("joins", JOIN)):
        for workers in (2, 4, 16):
            for use in (0.3, 0.45, 0.6):
                found = [
                    recover(shares, partitions=16 * workers, workers=workers, utilisation=use, change=change, seed=seed)
                    for seed in range(sets)
                ]
                rows.append((f"one {what}", workers, f"{use:.0%}", *_recovered(found)))
    stands = ("moved", "they stand", "the others stand")
    uses = ("busiest before", "busiest after", "too busy before", "too busy by it")
    header = ("", "workers", "mean use", *stands, *uses, "level after")
    return table(
        f"A change of workers: medians of {sets} sets of {CROWD[0]:,} shops, 16 partitions a worker", header, rows
    )


def _recovered(found: Sequence[Recovery]) -> Row:
    """Medians; sets whose busiest worker had too much, before the change or by it; the time of the others."""
    sound = sorted(one.level_s for one in found if one.level_s is not None and one.before < 1)
    already = sum(one.before >= 1 for one in found)
    by_it = sum(one.before < 1 and one.level_s is None for one in found)
    return (
        found[0].moved,
        f"{found[0].stood_s:g} s",
        f"{found[0].others_stood_s:g} s",
        f"{median(one.before for one in found):.0%}",
        f"{median(one.after for one in found):.0%}",
        f"{already} of {len(found)}",
        f"{by_it} of {len(found)}",
        f"{median(sound):.0f} s" if 2 * len(sound) > len(found) else "-",
    )


def hot_shops() -> str:
    """One shop's burst of thirty times for five minutes on its worker."""
    rows: list[Row] = []
    for normal in (0.002, 0.005, 0.01, 0.02, 0.03):
        for others in (0.4, 0.6):
            found = burst(normal=normal, others=others, times=30, seconds=300)
            level = "-" if not found.level_s else f"{found.level_s / 60:.0f} min"
            rows.append(
                (f"{normal:.1%}", f"{others:.0%}", f"{normal * 30 + others:.0%}", _span(found.longest_s), level)
            )
    header = ("shop on a normal day", "others on its worker", "wanted in the burst", "longest wait", "level after")
    return table("A shop at 30 times its normal day for five minutes (shares of one worker)", header, rows)


def sale_days() -> str:
    """A sale day against what was bought."""
    curve = five_minutes()
    rows: list[Row] = []
    for capacity in (6, 8, 10, 12, 15, 20, 25, 31):
        found = through(curve, 3600 / SLOTS_AN_HOUR, capacity)
        rows.append((f"{capacity} x", f"{1 / capacity:.0%}", _span(found.longest_s), _span(found.behind_s)))
    header = ("capacity, in normal days", "busy on a normal day", "longest wait", "behind in all")
    return table("A sale day with its bursts against the capacity bought for it", header, rows)


def _assigned(before: dict[str, list[int]], staying: list[str], partitions: int) -> Iterable[dict[str, list[int]]]:
    yield sticky(before, staying, partitions)
    yield dealt(partitions, staying)


def _span(seconds: float) -> str:
    if not seconds:
        return "none"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 # two minutes: as people say it
