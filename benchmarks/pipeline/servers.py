"""The servers of a run: a real Kafka, a database with MongoDB's protocol, a Redis; the tests' own, on free ports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

from tests.services import ferretdb, kafka, redis

BROKER_HEAP_MB = 512


class Servers:
    """Kafka at `bootstrap`; the others are started when they are first asked for. `database`: one to use instead."""

    def __init__(self, stack: ExitStack, database: str | None) -> None:
        self._stack = stack
        self._given = database
        self._kafka = stack.enter_context(kafka.running(java=kafka.SERVED, heap_mb=BROKER_HEAP_MB))
        self._database: str | None = None
        self._redis: redis.RedisServer | None = None

    @property
    def bootstrap(self) -> str:
        """Kafka's `host:port`."""
        return self._kafka.bootstrap

    def database(self) -> str:
        """The address of a new, empty database: of the server given, else behind `swallow`."""
        if self._database is None:
            self._database = self._given or f"mongodb://127.0.0.1:{self._swallowing()}"
        return f"{self._database.rstrip('/')}/weir-benchmark-{uuid4().hex[:8]}"

    def _swallowing(self) -> int:
        """The port of a database that forgets bulk writes."""
        real = self._stack.enter_context(ferretdb.running())
        command = [sys.executable, "-m", "benchmarks.pipeline.swallow", f"{real.host}:{real.port}"]
        front = self._stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        self._stack.callback(front.terminate)
        if front.stdout is None or not (port := front.stdout.readline().strip()):
            raise SystemExit("the front of the database did not start: see above")
        return int(port)

    def redis(self) -> str:
        """The address of Redis."""
        if self._redis is None:
            self._redis = self._stack.enter_context(redis.running())
        return self._redis.url


@contextmanager
def running(database: str | None = None) -> Iterator[Servers]:
    """Servers for the length of the block; they run on the cores of the caller."""
    with ExitStack() as stack:
        yield Servers(stack, database)
