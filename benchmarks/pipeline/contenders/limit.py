"""No broker at all: the records in memory, applied in partition order. What any consumer can at most reach."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from benchmarks.pipeline.held import RUN_RECORDS, read
from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task


def run(task: Task, job: Job) -> None:
    """Apply every record."""
    held = read(Path(task.records_file)).records
    offsets = [-1] * task.partitions
    if task.kind == "frames":
        for record in held:
            offsets[record.partition] += 1
            job.frame(record.partition, offsets[record.partition], record.data)
        return
    runs = [(partition, [r.data for r in run]) for partition, run in groupby(held, key=lambda r: r.partition)]
    for partition, values in runs:
        for start in range(0, len(values), RUN_RECORDS):
            some = values[start : start + RUN_RECORDS]
            offsets[partition] += len(some)
            job.run(partition, offsets[partition], some)
