"""The file of the trained model: a JSON head in one line, then the weights, compressed.

The head: `labels`, `languages`, `buckets` (the hash's range), `scale` (what one step of a weight is worth),
`intercepts`, `threshold` (probability from which a verdict counts), `trained` (what on). The body, zlib: for every
bucket that has weights, ascending, its number as a little-endian uint32 and one signed byte per label.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cache

from msgspec import DecodeError, Struct, json
from msgspec.structs import asdict

from actors.errors import ConfigurationError
from services.labels.words import DATA

FILE = "model.bin"
LANE_BITS = 24
BIAS = 128
"""Added to every weight, so that lanes never borrow from each other."""


class Head(Struct, frozen=True, kw_only=True):
    """What the first line of the file says."""

    labels: list[str]
    languages: list[str]
    buckets: int
    scale: float
    intercepts: list[float]
    threshold: float
    trained: str = ""


class Model(Head, frozen=True, kw_only=True):
    """The model in memory; `rows`: by bucket, the weights of all labels, each plus BIAS, in lanes of one integer."""

    rows: Mapping[int, int]


def written(head: Head, weights: Mapping[int, Sequence[int]]) -> bytes:
    """The file's bytes; `weights` by bucket, each from -127 to 127."""
    row = struct.Struct(f"<I{len(head.labels)}b")
    body = b"".join(row.pack(bucket, *weights[bucket]) for bucket in sorted(weights))
    return json.encode(head) + b"\n" + zlib.compress(body, 9)


def read(data: bytes) -> Model:
    """A model from its file. Raises ConfigurationError when it is none."""
    line, _, body = data.partition(b"\n")
    try:
        head = json.decode(line, type=Head)
        row = struct.Struct(f"<I{len(head.labels)}b")
        rows = {
            bucket: sum((weight + BIAS) << (LANE_BITS * place) for place, weight in enumerate(weights))
            for bucket, *weights in row.iter_unpack(zlib.decompress(body))
        }
    except (DecodeError, zlib.error, struct.error) as wrong:
        raise ConfigurationError(f"the label model is damaged ({wrong}): install Weir anew") from wrong
    return Model(rows=rows, **asdict(head))


@cache
def packaged_model() -> Model:
    """The one that comes with Weir."""
    return read((DATA / FILE).read_bytes())


__all__ = ["BIAS", "FILE", "LANE_BITS", "Head", "Model", "packaged_model", "read", "written"]
