"""Recordings made of what tests need of them: the boxes of an MP4 file that tell how long it is."""

from __future__ import annotations


def box(name: bytes, content: bytes, *, wide: bool = False) -> bytes:
    """A box of ISO/IEC 14496-12; `wide`: its size in 64 bits."""
    if wide:
        return (1).to_bytes(4) + name + (len(content) + 16).to_bytes(8) + content
    return (len(content) + 8).to_bytes(4) + name + content


def header(length: int, scale: int = 1_000, *, wide: bool = False) -> bytes:
    """`mvhd` with a length in units of 1/`scale` s; `wide`: version 1, whose times have 64 bits."""
    width = 8 if wide else 4
    times = bytes(2 * width) + scale.to_bytes(4) + length.to_bytes(width)
    return box(b"mvhd", bytes([wide, 0, 0, 0]) + times + bytes(80))


def recording(length_ms: int) -> bytes:
    """A recording that tells its length after what is heard, as phones write it."""
    tracks = header(length_ms * 44_100 // 1_000, 44_100) + box(b"trak", bytes(40))
    return box(b"ftyp", b"M4A \x00\x00\x00\x00M4A ") + box(b"mdat", bytes(1_000)) + box(b"moov", tracks)


__all__ = ["box", "header", "recording"]
