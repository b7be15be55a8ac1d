"""A mergeable quantile sketch of durations: DDSketch (Masson, Rim and Lee, VLDB 2019) with logarithmic buckets.

Every quantile is within 1 % of a value of that rank; zero and negative durations share one bucket. Merging the
sketches of two spans gives exactly the sketch of both.
"""

from __future__ import annotations

from math import ceil, log

import msgspec

ACCURACY = 0.01
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
SCALE = 1 / log(GAMMA)
ZERO = -(2**20)
"""The bucket of durations of zero or less."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[int, int])


def bucket_of(ms: float) -> int:
    """The bucket of a duration in ms."""
    return ceil(log(ms) * SCALE) if ms > 0 else ZERO


class Sketch:
    """Counts of durations (ms) by bucket."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: dict[int, int] | None = None) -> None:
        self.buckets: dict[int, int] = {} if buckets is None else buckets

    def add(self, ms: float) -> None:
        """Count one duration in ms."""
        bucket = bucket_of(ms)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: Sketch) -> None:
        """Count everything the other sketch counted."""
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self.buckets.values())

    def quantile(self, q: float) -> float | None:
        """The duration in ms of nearest rank `q` (0 to 1); None when nothing was counted."""
        rank = max(1, ceil(q * self.count))
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return 0.0 if bucket == ZERO else 2 * GAMMA**bucket / (GAMMA + 1)
        return None

    def encode(self) -> bytes:
        """The sketch as bytes for storage."""
        return _encoder.encode(self.buckets)

    @staticmethod
    def decode(data: bytes) -> Sketch:
        """The sketch of `encode`'s bytes; empty bytes are an empty sketch. Raises msgspec.DecodeError."""
        return Sketch(_decoder.decode(data)) if data else Sketch()
