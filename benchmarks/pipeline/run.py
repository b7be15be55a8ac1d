"""Runs every contender in turn, round after round, each in a process of its own on core 0; the broker is on core 1."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

import msgspec
from msgspec import Struct

from benchmarks.figures import machine
from benchmarks.pipeline import broker, delay, environments, records, servers, workers
from benchmarks.pipeline.held import Record, write
from benchmarks.pipeline.results import Rate, Ratio, Results, ratio_of
from benchmarks.pipeline.task import Kind, Outcome, Task
from streams.topics import PARTITIONS

MESSAGES = 60_000
QUICK_MESSAGES = 6_000
ROUNDS = 3
DELAY_TIMES = 2
"""The schedule at shares of capacity needs more events than the comparison."""
CONTENDER_CORE = 0
BROKER_CORE = 1
TIMEOUT_S = 600.0


class Contender(Struct, frozen=True, kw_only=True):
    """Who takes part: a name, what the tables call it, where it runs, in which comparisons."""

    name: str
    label: str
    environment: str = environments.MAIN
    kinds: tuple[Kind, ...] = ("frames", "plain")
    options: dict[str, str] = {}
    stores: bool = False
    """Whether it writes to a database and tells the bus."""


CONTENDERS = (
    Contender(name="limit-bare", label="L: decode + apply in memory", options={"bare": "yes"}),
    Contender(name="limit", label="the same with batches made for a store"),
    Contender(name="weir", label="Weir, store stubbed out"),
    Contender(
        name="weir-stored",
        label="Weir, state saved, deltas published, offsets committed",
        kinds=("frames",),
        stores=True,
    ),
    Contender(name="confluent", label="bare confluent-kafka loop"),
    Contender(name="aiokafka", label="bare aiokafka loop"),
    Contender(name="bytewax", label="Bytewax"),
    Contender(name="quix", label="Quix Streams", environment=environments.QUIX),
    Contender(name="arroyo", label="sentry-arroyo"),
    Contender(name="faust", label="Faust, an event at a time"),
)
WARMER = next(contender for contender in CONTENDERS if contender.name == "aiokafka")
PARTS = (*(contender.name for contender in CONTENDERS), "delay", "workers")
TARGETS: tuple[tuple[Kind, str, str, float], ...] = (
    ("frames", "weir", "limit-bare", 0.75),
    ("frames", "weir-stored", "limit-bare", 0.30),
    ("frames", "weir", "best peer", 0.90),
    ("plain", "weir", "limit-bare", 0.45),
    ("plain", "weir", "faust", 15.0),
    ("plain", "weir", "quix", 2.0),
    ("plain", "weir", "bytewax", 1.8),
    ("plain", "weir", "arroyo", 3.0),
    ("plain", "weir", "aiokafka", 0.9),
)
PEERS = ("confluent", "aiokafka", "bytewax", "quix", "arroyo", "faust")


class DifferentWorkError(Exception):
    """Two contenders ended with different states: their rates cannot be compared."""


def measure(
    *, names: Sequence[str], kinds: Sequence[Kind], messages: int, rounds: int, database: str | None = None
) -> Results:
    """Everything asked for, on a broker started for it; `database`: a server to save to instead of the tests'."""
    environments.check_versions()
    for environment in (environments.MAIN, environments.QUIX):
        environments.python(environment)
    description = machine()
    results = Results(
        command=shlex.join(["python", "-m", "benchmarks.pipeline", *sys.argv[1:]]),
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=description,
        versions={},
        messages=messages,
        events=records.of_kind("frames", messages).events,
        rounds=rounds,
        partitions=PARTITIONS,
    )
    os.sched_setaffinity(0, {BROKER_CORE})
    with tempfile.TemporaryDirectory(prefix="weir-pipeline-") as folder, servers.running(database) as running:
        digests: dict[int, str] = {}
        for kind in kinds:
            digests |= _compare(results, kind, names, running, Path(folder))
        if "workers" in names:
            held = records.of_kind("frames", messages)
            results.workers = workers.measure(running.bootstrap, held, PARTITIONS, rounds, digests)
        if "delay" in names:
            results.capacity_per_s, results.delays = delay.measure(running, messages * DELAY_TIMES)
    return results


def _compare(
    results: Results, kind: Kind, names: Sequence[str], running: servers.Servers, folder: Path
) -> dict[int, str]:
    """Measure one of the two comparisons into the results; the digests of the states, which are everybody's."""
    contenders = [c for c in CONTENDERS if c.name in names and kind in c.kinds]
    if not contenders:
        return {}
    held = records.of_kind(kind, results.messages)
    topic = f"{kind}-{uuid4().hex[:8]}"
    file = folder / f"{kind}.msgpack"
    write(held, file)
    asyncio.run(_filled(running.bootstrap, topic, held.records))

    def task_of(contender: Contender) -> Task:
        return Task(
            contender=contender.name,
            kind=kind,
            bootstrap=running.bootstrap,
            topic=topic,
            group=f"{contender.name}-{uuid4().hex[:8]}",
            partitions=results.partitions,
            records=len(held.records),
            events=held.events,
            records_file=str(file),
            core=CONTENDER_CORE,
            options=contender.options | (_services(running) if contender.stores else {}),
        )

    # One that does not count: a broker just started has yet to make its groups and to warm up.
    run(WARMER, task_of(WARMER))
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for number in range(results.rounds):
        for contender in contenders:
            outcome = run(contender, task_of(contender))
            _say(kind, number, contender, outcome)
            outcomes[contender.name].append(outcome)
            results.versions |= outcome.versions
    digests = _demand_equal_work(outcomes)
    rates = [_rate(contender, outcomes[contender.name]) for contender in contenders]
    setattr(results, kind, rates)
    results.ratios += _ratios(kind, {rate.name: rate for rate in rates})
    return digests


def _services(running: servers.Servers) -> dict[str, str]:
    return {"store": running.database(), "redis": running.redis()}


async def _filled(bootstrap: str, topic: str, held: Sequence[Record]) -> None:
    await broker.create(bootstrap, topic, PARTITIONS)
    await broker.fill(bootstrap, topic, held)


def run(contender: Contender, task: Task) -> Outcome:
    """One contender once, in its own process."""
    command = [
        str(environments.python(contender.environment)),
        "-m",
        "benchmarks.pipeline.child",
        msgspec.json.encode(task).decode(),
    ]
    done = subprocess.run(
        command, cwd=environments.ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise SystemExit(f"{contender.name} failed ({done.returncode}):\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=Outcome)


def _demand_equal_work(outcomes: dict[str, list[Outcome]]) -> dict[int, str]:
    seen = {(name, tuple(sorted(o.digests.items()))) for name, several in outcomes.items() for o in several}
    if len({digests for _, digests in seen}) > 1:
        lines = [f"{name}: {dict(digests)}" for name, digests in sorted(seen)]
        raise DifferentWorkError("the contenders' states differ:\n" + "\n".join(lines))
    return dict(next(iter(seen))[1])


def _rate(contender: Contender, outcomes: Sequence[Outcome]) -> Rate:
    rates = [o.events / o.cpu for o in outcomes]
    return Rate(
        name=contender.name,
        label=contender.label,
        per_cpu_s=median(rates),
        low=min(rates),
        high=max(rates),
        per_cpu_s_in_all=median(o.events / o.cpu_in_all for o in outcomes),
        per_s=median(o.events / o.wall for o in outcomes),
        peak_mib=max(o.peak_mib for o in outcomes),
        rounds=rates,
    )


def _ratios(kind: Kind, rates: dict[str, Rate]) -> list[Ratio]:
    found: list[Ratio] = []
    for comparison, ours, other, target in TARGETS:
        against = other
        if other == "best peer":
            peers = [rates[name] for name in PEERS if name in rates]
            against = max(peers, key=lambda rate: rate.per_cpu_s).name if peers else ""
        if comparison == kind and ours in rates and against in rates:
            value = ratio_of(rates[ours].rounds, rates[against].rounds)
            name = f"{rates[ours].label} / {rates[against].label}"
            found.append(Ratio(name=name, value=value, target=target, comparison=kind))
    return found


def _say(kind: Kind, number: int, contender: Contender, outcome: Outcome) -> None:
    rate = f"{outcome.events / outcome.cpu:>9,.0f} per CPU second {outcome.events / outcome.wall:>9,.0f} per second"
    in_all = f"{outcome.events / outcome.cpu_in_all:>9,.0f} with start-up"
    print(f"{kind:<6} round {number + 1} {contender.name:<14} {rate} {in_all}", file=sys.stderr, flush=True)
