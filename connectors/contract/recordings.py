"""How long a recording or a film is, read from its boxes: MP4 and M4A (ISO/IEC 14496-12, `moov` and `mvhd`).

Nothing is decoded: a file that only claims to be one costs no more than the reading of its boxes.
"""

from __future__ import annotations

from collections.abc import Iterator

_MOST_BOXES = 10_000
_SHORT, _LONG = 8, 16
"""Bytes before what a box holds: its size and name, and a size of 64 bits where the first one is 1."""
_WIDE = b"\x01"
"""The version of `mvhd` whose times have 64 bits."""


def recording_length(content: bytes) -> int | None:
    """The length in ms, 1 at least; None when the file does not tell it, or is of another kind."""
    movie = _inside(content, b"moov", (0, len(content)))
    header = None if movie is None else _inside(content, b"mvhd", movie)
    if header is None:
        return None
    start, end = header
    at, width = (start + 20, 8) if content[start : start + 1] == _WIDE else (start + 12, 4)
    if at + 4 + width > end:
        return None
    scale, length = int.from_bytes(content[at : at + 4]), int.from_bytes(content[at + 4 : at + 4 + width])
    unknown = 2 ** (8 * width) - 1
    return max(length * 1_000 // scale, 1) if scale and 0 < length < unknown else None


def _inside(content: bytes, name: bytes, within: tuple[int, int]) -> tuple[int, int] | None:
    """Where the first box of that name has what it holds: from, to."""
    for found, start, end in _boxes(content, *within):
        if found == name:
            return start, end
    return None


def _boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(_MOST_BOXES):
        if start + _SHORT > end:
            return
        size, before = int.from_bytes(content[start : start + 4]), _SHORT
        if size == 1:
            size, before = int.from_bytes(content[start + 8 : start + 16]), _LONG
        elif size == 0:  # as far as there is something
            size = end - start
        if size < before:
            return
        yield content[start + 4 : start + 8], start + before, min(start + size, end)
        start += size


__all__ = ["recording_length"]
