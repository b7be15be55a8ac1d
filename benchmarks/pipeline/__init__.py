"""Weir's way from Kafka to the store, against its own limit in memory and against peers doing the same job.

`python -m benchmarks.pipeline` measures everything; docs/benchmarks.md says what is compared and how to read it. A new
contender is one file in contenders/ and one line in `run.CONTENDERS`.
"""
