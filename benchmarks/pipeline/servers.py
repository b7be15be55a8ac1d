"""The servers of a run: a real Kafka, a database with MongoDB's protocol, a Redis; the tests' own, on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.services import ferretdb, kafka, redis

BROKER_HEAP_MB = 512


class Servers:
    """Kafka at `bootstrap`; the others are started when they are first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._kafka = stack.enter_context(kafka.running(java=kafka.SERVED, heap_mb=BROKER_HEAP_MB))
        self._database: ferretdb.FerretServer | None = None
        self._redis: redis.RedisServer | None = None

    @property
    def bootstrap(self) -> str:
        """Kafka's `host:port`."""
        return self._kafka.bootstrap

    def database(self) -> str:
        """The address of a new, empty database."""
        if self._database is None:
            self._database = self._stack.enter_context(ferretdb.running())
        return self._database.fresh()

    def redis(self) -> str:
        """The address of Redis."""
        if self._redis is None:
            self._redis = self._stack.enter_context(redis.running())
        return self._redis.url


@contextmanager
def running() -> Iterator[Servers]:
    """Servers for the length of the block; they run on the cores of the caller."""
    with ExitStack() as stack:
        yield Servers(stack)
