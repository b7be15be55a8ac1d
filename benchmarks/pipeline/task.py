"""What a contender's process is told, and what it says at its end."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["frames", "plain"]


class Task(Struct, frozen=True, kw_only=True):
    """Read `records` records (of `events` events in all) of a topic and apply them.

    `records_file` holds the same records for contenders that need no broker; `options` are a contender's own.
    """

    contender: str
    kind: Kind
    bootstrap: str
    topic: str
    group: str
    partitions: int
    records: int
    events: int
    records_file: str
    core: int
    options: dict[str, str] = {}


class Outcome(Struct, frozen=True, kw_only=True):
    """What it took. Times in seconds; `cpu` and `wall` from the first record on, `cpu_in_all` with start-up.

    `digests` has a fingerprint of all states by partition; two contenders that did the same job have the same ones.
    """

    events: int
    cpu: float
    wall: float
    cpu_in_all: float
    peak_mib: float
    digests: dict[int, str]
    versions: dict[str, str]
