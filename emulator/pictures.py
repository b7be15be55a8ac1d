"""Small real pictures, made from a number: PNG (RFC 2083) and baseline JPEG (ITU-T T.81)."""

from __future__ import annotations

import struct
import zlib
from random import Random

SIDE = 64
_BLOCKS = SIDE // 8
_DC_CODES = {0: (0b00, 2), 1: (0b010, 3), 2: (0b011, 3), 3: (0b100, 3), 4: (0b101, 3), 5: (0b110, 3), 6: (0b1110, 4)}
"""Category of a difference to its code (value, bits), of the standard's typical table K.3."""
_DC_BITS = bytes([0, 1, 5, 1, *[0] * 12])
_DC_VALUES = bytes(range(7))
_AC_BITS = bytes([1, *[0] * 15])
"""One AC code only, the end of a block: `0`."""


def png(seed: int) -> bytes:
    """A picture of coloured squares."""
    rng = Random(seed)  # noqa: S311 # a picture, not a secret
    colours = [bytes(rng.randrange(256) for _ in range(3)) for _ in range(_BLOCKS * _BLOCKS)]
    rows = b"".join(b"\x00" + b"".join(colours[(y // 8) * _BLOCKS + x // 8] for x in range(SIDE)) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def jpeg(seed: int) -> bytes:
    """A picture of grey squares: every block is its mean alone."""
    rng = Random(seed)  # noqa: S311 # as above
    table = b"\x00" + b"\x10" * 64
    frame = struct.pack(">BHHB", 8, SIDE, SIDE, 1) + b"\x01\x11\x00"
    segments = (
        (0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
        (0xDB, table),
        (0xC0, frame),
        (0xC4, b"\x00" + _DC_BITS + _DC_VALUES),
        (0xC4, b"\x10" + _AC_BITS + b"\x00"),
        (0xDA, b"\x01\x01\x00\x00\x3f\x00"),
    )
    head = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments)
    return b"\xff\xd8" + head + _scan(rng) + b"\xff\xd9"


def _scan(rng: Random) -> bytes:
    """The entropy-coded blocks: difference to the mean of the block before, then the end of the block."""
    bits, before = "", 0
    for _ in range(_BLOCKS * _BLOCKS):
        mean = rng.randrange(-31, 32)
        difference, before = mean - before, mean
        size = abs(difference).bit_length()
        code, length = _DC_CODES[size]
        bits += f"{code:0{length}b}"
        if size:
            bits += f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}"
        bits += "0"
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return coded.replace(b"\xff", b"\xff\x00")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
