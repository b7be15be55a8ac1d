"""How large a picture is, read from its first bytes: PNG (W3C) and JPEG (ITU-T T.81).

Nothing is decoded: a file that only claims to be a picture costs nothing.
"""

from __future__ import annotations

_PNG, _PNG_SIZE_AT = b"\x89PNG\r\n\x1a\n", 16
_MARKER = 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's starts of frame; the others of that range are tables."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG's markers that stand without a length."""


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None when it is no picture that is known here."""
    found: tuple[int, int] | None = None
    if content.startswith(_PNG) and content[12:16] == b"IHDR":
        found = _two(content, _PNG_SIZE_AT, 4)
    elif content.startswith(b"\xff\xd8"):
        found = _jpeg(content)
    return found if found and min(found) > 0 else None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 4 <= len(content) and content[at] == _MARKER:
        marker = content[at + 1]
        if marker == _MARKER:  # fills up
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = _two(content, at + 5, 2) or (0, 0)
            return width, height
        else:
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    return None


def _two(content: bytes, at: int, wide: int) -> tuple[int, int] | None:
    """Two numbers of so many bytes, one after the other."""
    if len(content) < at + 2 * wide:
        return None
    return int.from_bytes(content[at : at + wide], "big"), int.from_bytes(content[at + wide : at + 2 * wide], "big")


__all__ = ["picture_size"]
