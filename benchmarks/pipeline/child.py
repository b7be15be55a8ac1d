"""A contender's process: `python -m benchmarks.pipeline.child TASK` (JSON); prints its outcome as JSON.

Contenders that are started to work together (`weir` twice) print `ready` and wait for a line before they begin.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import msgspec

from benchmarks.pipeline.job import Job, digest
from benchmarks.pipeline.task import Outcome, Task

PACKAGES = (
    "msgspec",
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "quixstreams",
    "bytewax",
    "sentry-arroyo",
    "uvloop",
    "pymongo",
    "redis",
)


def main() -> None:
    """Run one task."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    os.sched_setaffinity(0, {task.core})
    contender = import_module(f"benchmarks.pipeline.contenders.{task.contender.partition('-')[0]}")
    job = Job(task.partitions, task.events, hand_out="bare" not in task.options)
    before = time.process_time()
    engines = contender.run(task, job) or {engine.partition: engine for engine in job.engines}
    in_all = time.process_time() - before
    if not job.took[0]:
        raise SystemExit(f"{task.contender} ended after {job.applied} of {task.events} events")
    outcome = Outcome(
        events=task.events,
        cpu=job.took[0],
        wall=job.took[1],
        cpu_in_all=in_all,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        digests={number: digest(engine) for number, engine in engines.items()},
        versions=_versions(),
    )
    sys.stdout.write("\n" + msgspec.json.encode(outcome).decode() + "\n")
    sys.stdout.flush()
    # Clients' threads may take seconds to say goodbye; the measurement is over.
    os._exit(0)


def _versions() -> dict[str, str]:
    found: dict[str, str] = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
