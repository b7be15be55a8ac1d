"""What a simulated trace implies: every anomaly that the specification asks for, and how each one ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import IO, TypeAlias

import msgspec
from msgspec import Struct


class Expected(Struct, frozen=True, kw_only=True):
    """One anomaly that must be found.

    `message` or `seq` is its subject where it has one, `since` the start of the window for `out_of_sync`; `cause`
    names the trouble. `opened_at` (ms) and `resolution` are what the rules imply; None: not fixed, or never resolved.
    """

    kind: str
    cause: str
    platform: str
    account: str
    conversation: str | None = None
    message: str | None = None
    seq: int | None = None
    since: int | None = None
    opened_at: int | None = None
    resolution: str | None = None


Expect: TypeAlias = Callable[[Expected], None]
"""Where the simulator tells what it implies, as soon as it is certain."""


class TruthFile:
    """Writes expectations to a JSON file as they come, so that memory stays flat; `close` ends the document."""

    def __init__(self, out: IO[bytes], options: Struct) -> None:
        self.counts: Counter[str] = Counter()
        self._out = out
        self._encode = msgspec.json.Encoder().encode
        out.write(b'{"version":1,"options":' + self._encode(options) + b',\n"anomalies":[')

    def __call__(self, expected: Expected) -> None:
        """Write one expectation."""
        self._out.write((b",\n" if self.counts else b"\n") + self._encode(expected))
        self.counts[expected.kind] += 1

    def close(self, **totals: int) -> None:
        """End the document with the totals."""
        ending = self._encode({"totals": totals, "counts": dict(sorted(self.counts.items()))})
        self._out.write(b"\n]," + ending[1:] + b"\n")
