"""What a load takes: workers, partitions, database, brokers, network; from measured figures and stated assumptions.

`python -m benchmarks.scaling` prints the tables of docs/scaling.md from benchmarks/results.json (written by
`make bench-pipeline`) and benchmarks/scaling.json (written by `python -m benchmarks.scaling --measure`). What is not
measured here is an assumption with a flag: see the second table. `--write` puts them into the page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.figures import machine
from benchmarks.scaling_inputs import Inputs, sizes, way_in
from loadtest.capacity.skew import imbalance, split, zipf
from loadtest.capacity.tables import CROWD, everything, table

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "scaling.md"
MEASURED, INPUTS = HERE / "results.json", HERE / "scaling.json"
RATES = (10_000, 100_000, 1_000_000)
STORED = "weir-stored"
COPIES = 3
DAY_S = 86_400
RETENTION_DAYS = 30
PER_WORKER = 4
TRIALS = 40
TERA = 1e12


class Assumed(Struct, frozen=True, kw_only=True):
    """What was not measured here.

    Attributes:
        use: the share of a core that may be busy on average, the rest being for bursts and catching up.
        busiest: the share that may be busy of the busiest worker's core, in 95 of 100 sets of shops.
        split: a shop that needs more than this share of a core is declared as several accounts.
        shard_rows: documents a second that one shard's primary writes.
        broker_mb: MB/s that one broker takes in, copies included.
        single: the share of events that come one by one in a webhook.
    """

    use: float = 0.5
    busiest: float = 0.8
    split: float = 0.1
    shard_rows: float = 20_000
    broker_mb: float = 50
    single: float = 0.5


class Need(Struct, frozen=True, kw_only=True):
    """What so many messages a second take. `workers`: None when no number is enough, shops being as they are."""

    messages: float
    events: float
    cores: float
    largest: float
    workers: int | None
    workers_split: int
    partitions: int
    singles: int
    batches: int
    rows: float
    shards: int
    store_a_day: float
    log_rate: float
    log_disk: float
    brokers: int
    worker_net: float


def need(messages: float, per_core: float, inputs: Inputs, assumed: Assumed, shares: Sequence[float]) -> Need:
    """What a rate takes, when a worker core stores `per_core` events a second and shops have these shares of it."""
    events = messages * inputs.events_per_message
    cores = events / per_core
    workers = enough_workers(cores, shares, assumed)
    divided = enough_workers(cores, split(shares, assumed.split / cores), assumed)
    assert divided is not None  # noqa: S101 # no account is larger than a part of a core
    rows = events * inputs.store_rows
    log_rate = events * inputs.log_bytes
    single = events * assumed.single * inputs.single_cpu_ms / 1e3
    batched = events * (1 - assumed.single) * inputs.batch_cpu_us / 1e6
    return Need(
        messages=messages,
        events=events,
        cores=cores,
        largest=cores * max(shares),
        workers=workers,
        workers_split=divided,
        partitions=_power_of_two(PER_WORKER * divided),
        singles=ceil(single / assumed.use),
        batches=ceil(batched / assumed.use),
        rows=rows,
        shards=max(1, ceil(rows / assumed.shard_rows)),
        store_a_day=messages * inputs.kept_bytes * DAY_S,
        log_rate=log_rate,
        log_disk=log_rate * DAY_S * RETENTION_DAYS * COPIES,
        brokers=max(COPIES, ceil(log_rate * COPIES / 1e6 / assumed.broker_mb)),
        worker_net=events / divided * (inputs.log_bytes + inputs.store_bytes) * 8,
    )


def enough_workers(cores: float, shares: Sequence[float], assumed: Assumed) -> int | None:
    """The fewest workers (in steps of an eighth) whose mean and whose busiest have the room that is wanted."""
    if cores * max(shares) > assumed.busiest:
        return None
    workers = max(2, ceil(cores / assumed.use))
    while True:
        uneven = imbalance(shares, _power_of_two(PER_WORKER * workers), workers, trials=TRIALS).p95
        if uneven * cores / workers <= assumed.busiest:
            return workers
        workers = max(workers + 1, ceil(workers * 1.125))


def tables(per_core: float, inputs: Inputs, assumed: Assumed) -> str:
    """The figures and what follows from them, as Markdown."""
    shares = zipf(*CROWD)
    needs = [need(rate, per_core, inputs, assumed, shares) for rate in RATES]
    return f"{_figures(per_core, inputs)}\n{_assumptions(assumed)}\n{_needs(needs)}"


def _figures(per_core: float, inputs: Inputs) -> str:
    rows = [
        ("events per message", f"{inputs.events_per_message:.2f}"),
        ("a worker core, from Kafka to the database", f"{per_core:,.0f} events/s"),
        ("the way in, a request with one event", f"{inputs.single_cpu_ms:.2f} ms of a core"),
        ("the way in, an event in a batch", f"{inputs.batch_cpu_us:.0f} us of a core"),
        ("an event as it is sent", f"{inputs.json_bytes:,.0f} bytes"),
        ("an event on the log, one copy", f"{inputs.log_bytes:,.0f} bytes"),
        ("documents written per event", f"{inputs.store_rows:.2f}"),
        ("written to the database per event", f"{inputs.store_bytes:,.0f} bytes"),
        ("new in the database per message, without indexes", f"{inputs.kept_bytes:,.0f} bytes"),
        ("a conversation's state", f"{inputs.state_bytes:,.0f} bytes"),
        ("memory of a way in", f"{inputs.way_in_mib:,.0f} MiB"),
    ]
    return table("Measured", ("", ""), rows)


def _assumptions(assumed: Assumed) -> str:
    rows = [
        ("`--use`", "busy on average, of a core", f"{assumed.use:.0%}"),
        ("`--busiest`", "busy of the busiest worker's core", f"{assumed.busiest:.0%}"),
        ("`--split`", "of a core: a shop that needs more is declared as several accounts", f"{assumed.split:.0%}"),
        ("`--shard-rows`", "documents a second that a shard's primary writes", f"{assumed.shard_rows:,.0f}"),
        ("`--broker-mb`", "MB/s that a broker takes in, copies included", f"{assumed.broker_mb:g}"),
        ("`--single`", "events that come one by one", f"{assumed.single:.0%}"),
        ("", f"copies of the log, kept {RETENTION_DAYS} days", COPIES),
        ("", "shops, and how their sizes fall (exponent)", f"{CROWD[0]:,} ({CROWD[1]})"),
    ]
    return table("Assumed", ("flag", "what", ""), rows)


def _needs(needs: list[Need]) -> str:
    lines: list[tuple[str, Callable[[Need], str]]] = [
        ("events/s", lambda n: f"{n.events:,.0f}"),
        ("worker cores in use", lambda n: f"{n.cores:,.1f}"),
        ("the largest shop needs, of a core", lambda n: f"{n.largest:.0%}"),
        ("workers, one core each", lambda n: f"{n.workers:,}" if n.workers else "none is enough"),
        ("workers when large shops are split", lambda n: f"{n.workers_split:,}"),
        ("partitions", lambda n: f"{n.partitions:,}"),
        ("processes on the way in for webhooks of one event", lambda n: f"{n.singles:,}"),
        ("processes on the way in for batches", lambda n: f"{n.batches:,}"),
        ("documents written/s", lambda n: f"{n.rows:,.0f}"),
        ("database shards", lambda n: f"{n.shards:,}"),
        ("new in the database a day", lambda n: _bytes(n.store_a_day)),
        ("log, one copy", lambda n: f"{n.log_rate / 1e6:,.1f} MB/s"),
        ("log on disk", lambda n: _bytes(n.log_disk)),
        ("brokers", lambda n: f"{n.brokers:,}"),
        ("network of a worker", lambda n: f"{n.worker_net / 1e6:,.0f} Mbit/s"),
    ]
    header = ("", *(f"{n.messages:,.0f} messages/s" for n in needs))
    return table("What it takes", header, [(name, *map(of, needs)) for name, of in lines])


def _power_of_two(number: float) -> int:
    return 1 << max(3, ceil(number) - 1).bit_length()


def _bytes(size: float) -> str:
    return f"{size / TERA:,.1f} TB" if size >= TERA / 10 else f"{size / 1e9:,.0f} GB"


def with_part(page: str, name: str, text: str) -> str:
    """The page with the text between its two marks of that name. Raises SystemExit when it has none."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"the page has no part {begin} … {end}")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"


def measured() -> float:
    """Events a second of processor time of a worker that stores, from results.json. Raises SystemExit."""
    if not MEASURED.exists():
        raise SystemExit(f"{MEASURED} is missing; run `make bench-pipeline` first")
    found = msgspec.json.decode(MEASURED.read_bytes())
    for rate in found["pipeline"]["frames"]:
        if rate["name"] == STORED:
            return rate["per_cpu_s"]
    raise SystemExit(f"{MEASURED} has no {STORED}; run `make bench-pipeline` with all contenders")


def kept_inputs() -> Inputs:
    """What was measured last. Raises SystemExit."""
    if not INPUTS.exists():
        raise SystemExit(f"{INPUTS} is missing; run `python -m benchmarks.scaling --measure` first")
    return msgspec.json.decode(INPUTS.read_bytes(), type=Inputs)


def measure() -> Inputs:
    """Measure and keep."""
    single, batched, memory = way_in()
    found = Inputs(
        at=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(),
        single_cpu_ms=single,
        batch_cpu_us=batched,
        way_in_mib=memory,
        **msgspec.structs.asdict(sizes()),
    )
    INPUTS.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return found


def main(arguments: list[str]) -> int:
    """Print the tables, or measure first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure benchmarks/scaling.json anew; takes a minute")
    parser.add_argument("--write", action="store_true", help="put the tables, the simulated ones too, into the page")
    parser.add_argument("--per-core", type=float, help="events/s of a worker core, instead of results.json")
    for name in Assumed.__struct_fields__:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(Assumed(), name))
    asked = parser.parse_args(arguments)
    inputs = measure() if asked.measure else kept_inputs()
    assumed = Assumed(**{name: getattr(asked, name) for name in Assumed.__struct_fields__})
    text = tables(asked.per_core or measured(), inputs, assumed)
    print(text)
    if asked.write:
        page = PAGE.read_text("utf-8")
        page = with_part(page, "measured", f"{inputs.machine.rstrip()}\n\n{text}")
        PAGE.write_text(with_part(page, "simulated", "\n".join(everything())), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
