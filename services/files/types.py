"""What a file is, by its first bytes: whatever its name, its sender or its platform says of it.

Signatures after the formats' own specifications; what none of them fits is text when it reads as such.
"""

from __future__ import annotations

import re

HEAD_BYTES = 8_192
"""As much of a file as `sniffed` looks at."""
UNKNOWN = "application/octet-stream"
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"%PDF-", "application/pdf"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"BM", "image/bmp"),
)
_BRANDS: dict[bytes, str] = {
    b"heic": "image/heic", b"heix": "image/heic", b"hevc": "image/heic", b"heim": "image/heic", b"heis": "image/heic",
    b"mif1": "image/heif", b"msf1": "image/heif", b"avif": "image/avif", b"avis": "image/avif",
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"crx ": "image/x-canon-cr3",
}  # fmt: skip
"""Major brands of ISO/IEC 14496-12; every other is a film."""
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"word/", f"{_OFFICE}.wordprocessingml.document"),
    (b"xl/", f"{_OFFICE}.spreadsheetml.sheet"),
    (b"ppt/", f"{_OFFICE}.presentationml.presentation"),
)
_MARKUP = re.compile(
    # Nothing is looked at twice: many comments must not take the time of all ways to part them.
    rb"\s*+(?:<\?xml[^>]*+>\s*+)?+(?:<!--(?>.*?-->)\s*+)*+<(!doctype\s+)?+(html|svg|head|body|script)\b",
    re.IGNORECASE | re.DOTALL,
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_MPEG_SYNC, _MPEG_RESERVED = 0xE0, 0x08
_EXTENSIONS = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "image/heic": "heic",
    "image/bmp": "bmp", "image/tiff": "tif", "image/avif": "avif", "application/pdf": "pdf", "audio/mpeg": "mp3",
    "audio/ogg": "ogg", "audio/mp4": "m4a", "audio/aac": "aac", "audio/wav": "wav", "audio/amr": "amr",
    "video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "text/plain": "txt",
    "application/zip": "zip", _IN_ZIP[0][1]: "docx", _IN_ZIP[1][1]: "xlsx", _IN_ZIP[2][1]: "pptx",
}  # fmt: skip


def sniffed(head: bytes) -> str:
    """The media type of a file that begins with these bytes; `UNKNOWN` when nothing fits."""
    for start, mime in _STARTS:
        if head.startswith(start):
            return mime
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], UNKNOWN)
    if head.startswith(b"PK\x03\x04"):
        return next((mime for part, mime in _IN_ZIP if part in head), "application/zip")
    return _sound(head) or _text(head)


def extension(mime: str) -> str:
    """The usual ending of a file's name, without a dot."""
    return _EXTENSIONS.get(mime, "bin")


def family(mime: str) -> str:
    """`image`, `audio`, `video` or what else stands before the slash."""
    return mime.partition("/")[0].strip().lower()


def _sound(head: bytes) -> str | None:
    """Frames of MPEG audio (ISO/IEC 11172-3) or of AAC (ADTS), which begin with eleven bits that are set."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & _MPEG_SYNC != _MPEG_SYNC:  # noqa: PLR2004 # a frame's header
        return None
    if head[1] & 0xF6 == 0xF0:  # noqa: PLR2004 # layer 0 is ADTS
        return "audio/aac"
    wrong = head[1] & 0x18 == _MPEG_RESERVED or head[1] & 0x06 == 0 or head[2] & 0xF0 == 0xF0  # noqa: PLR2004
    return None if wrong else "audio/mpeg"


def _text(head: bytes) -> str:
    bare = head.removeprefix(b"\xef\xbb\xbf")
    if not bare or _CONTROLS.search(bare):
        return UNKNOWN
    found = _MARKUP.match(bare)
    if found is not None:
        return "image/svg+xml" if found[2].lower() == b"svg" else "text/html"
    try:
        # The end may be in the middle of a character.
        bare[:-3].decode() if len(head) >= HEAD_BYTES else bare.decode()
    except UnicodeDecodeError as wrong:
        if len(head) < HEAD_BYTES or wrong.start < len(bare) - 8:
            return UNKNOWN
    return "text/plain"


__all__ = ["HEAD_BYTES", "UNKNOWN", "extension", "family", "sniffed"]
