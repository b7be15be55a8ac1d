"""What the bytes of a mail say: the declared character set, unless the bytes prove it wrong.

Labels are widened to what senders really use, after "Encoding Standard" (WHATWG): GB 2312 is GB 18030, ISO 8859-1 is
windows-1252, KS C 5601 is code page 949.
"""

from __future__ import annotations

import codecs
import re

_WIDER = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "big5": "cp950",
    "x-big5": "cp950",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "unicode-1-1-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "utf8": "utf_8",
    "utf-8mb4": "utf_8",
    "cp-850": "cp850",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "hz-gb-2312": "hz",
}
_UNSAFE = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem"})
_SEVEN_BIT = frozenset({"iso2022_jp_ext", "iso2022_jp", "iso2022_kr", "hz", "utf_7"})
_WIDE = frozenset({"utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"})
_NO_CHARACTER_SET = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "8bit", "binary", "none", "unknown-8bit"})
_ESCAPES = {
    b"\x1b$)C": "iso2022_kr",
    b"\x1b$B": "iso2022_jp_ext",
    b"\x1b$@": "iso2022_jp_ext",
}
_LONG_UTF8 = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ASCII = 0x7F
_MOSTLY = 0.5
"""A text in a script of its own has more than this part of its bytes beyond ASCII."""
_MARKS = "\uff0c\u3002\uff01\uff1f\u3001\uff1a\uff1b\uff08\uff09\u201c\u201d\u300a\u300b\uffe5\u2026\u2014"
"""Of Chinese sentences."""
_COMMON_CHINESE = 0.6
"""The first level of GB 2312, 3,755 characters in the order of their sound, is nearly all of any Chinese text."""


def codec(declared: str | None) -> str | None:
    """Python's name of a declared character set, widened; None when nothing useful is declared."""
    name = (declared or "").strip().strip("\"'").lower().removeprefix("charset=").strip("\"' ")
    if name in _NO_CHARACTER_SET:
        return None
    name = _WIDER.get(name, name)
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    known = found.name.replace("-", "_")
    return None if known in _UNSAFE or not getattr(found, "_is_text_encoding", True) else known


def decode(data: bytes, declared: str | None, hint: str | None = None) -> str:
    """The text of these bytes; never fails. `hint`: what other parts of the same mail declare, for want of a label."""
    name = codec(declared)
    if data.isascii() and name not in _SEVEN_BIT and name not in _WIDE:
        return _escaped(data)
    if name in _WIDE or name in _SEVEN_BIT:
        return _strict(data, name) or _undeclared(data, codec(hint)) or data.decode(name, "replace")
    utf8 = _strict(data, "utf_8")
    if utf8 is not None and (name is None or _single_byte(name) or _LONG_UTF8.search(data)):
        return utf8
    if name is not None:
        found = _strict(data, name)
        if found is not None:
            return found
    return _undeclared(data, codec(hint)) or _least_harm(data, name)


def _escaped(data: bytes) -> str:
    """ASCII, unless it shifts into another set by escape sequences though nothing says so."""
    for escape, name in _ESCAPES.items():
        if escape in data and (found := _strict(data, name)) is not None:
            return found
    return data.decode("ascii")


def _strict(data: bytes, name: str) -> str | None:
    try:
        found = data.decode(name)
    except (UnicodeError, ValueError):  # some codecs raise the latter for what they cannot shift to
        return None
    return found.removeprefix("\ufeff")


def _single_byte(name: str) -> bool:
    return name.startswith(("iso8859", "cp125", "koi8", "mac_", "cp8", "latin", "tis_"))


def _undeclared(data: bytes, hint: str | None) -> str | None:
    """By the hint, as UTF-8, or by how many bytes lie where; None when nothing fits."""
    if hint is not None and (found := _strict(data, hint)) is not None:
        return found
    if (found := _strict(data, "utf_8")) is not None:
        return found
    high = sum(byte > _ASCII for byte in data)
    if high > _MOSTLY * len(data.strip()) or _pairs(data):
        for name, likely in (("gb18030", _is_chinese), ("cp932", _is_japanese), ("cp949", _is_korean)):
            found = _strict(data, name)
            if found is not None and likely(found):
                return found
        if (found := _strict(data, "cp1251")) is not None and _is_cyrillic(found):
            return found
    return _strict(data, "cp1252")


def _pairs(data: bytes) -> bool:
    """Whether bytes beyond ASCII stand in runs of even length only, as in Chinese and Korean."""
    return all(len(run) % 2 == 0 for run in re.findall(rb"[\x80-\xff]+", data))


def _is_chinese(text: str) -> bool:
    beyond = [char for char in text if ord(char) > _ASCII]
    common = sum(_first_level(char) or char in _MARKS for char in beyond)
    return bool(beyond) and common >= _COMMON_CHINESE * len(beyond)


def _first_level(char: str) -> bool:
    try:
        encoded = char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 and 0xB0 <= encoded[0] <= 0xD7  # noqa: PLR2004 # the rows of that level


def _is_japanese(text: str) -> bool:
    return any("\u3041" <= char <= "\u30ff" for char in text)


def _is_korean(text: str) -> bool:
    beyond = [char for char in text if ord(char) > _ASCII]
    return bool(beyond) and sum("\uac00" <= char <= "\ud7a3" for char in beyond) >= _MOSTLY * len(beyond)


def _is_cyrillic(text: str) -> bool:
    beyond = [char for char in text if ord(char) > _ASCII]
    return bool(beyond) and sum("\u0410" <= char <= "\u044f" for char in beyond) >= _MOSTLY * len(beyond)


def _least_harm(data: bytes, name: str | None) -> str:
    """As declared, with what does not fit replaced."""
    return data.decode(name or "utf_8", "replace")


__all__ = ["codec", "decode"]
