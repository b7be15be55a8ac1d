"""Masking: what may be shown or written of texts and records that can hold secrets and personal data.

Masking works twice: by name (whatever is called text, name, password, ...) and by shape (e-mail addresses, card
and phone numbers, tokens) in every string. It rather masks too much than too little.
"""
# ruff: noqa: RUF001 # full-width signs stand in patterns because customers type them

import re
from typing import Any

import msgspec

MASK = "[masked]"
SECRET_NAMES = frozenset(
    {
        *("access_key", "address", "api_key", "authorization", "body", "buyer", "contact", "cookie", "cookies"),
        *("customer", "detail", "email", "first_name", "full_name", "headers", "last_name", "name", "note"),
        *("password", "payload", "phone", "private_key", "query", "raw", "recipient", "secret", "secret_key"),
        *("sender", "sender_name", "set-cookie", "text", "token", "url"),
    }
)
SECRET_ENDINGS = ("_password", "_secret", "_token", "_cookie", "_text", "_email", "_phone")
OWN_KEYS = frozenset({"event", "level", "logger", "timestamp"})

_WORD = r"[^\s@<>\"'(),;:，；。、：（）]"
_EMAIL = re.compile(rf"(?:\"[^\"\n]{{1,64}}\"|{_WORD}+)@{_WORD}+\.{_WORD}+")
_TOKEN = re.compile(
    r"weir_[A-Za-z0-9_-]{8,}|(?i:\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,})|eyJ[\w-]+\.[\w-]+\.[\w-]*"
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@(?=[^/\s])")
_PAIR = re.compile(r"(?i)\b((?:api[_-]?key|password|passwd|secret|token|sid)\s*[=:]\s*)[^\s,;&\"']+")
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z_])[+＋]?[(（]?\d(?:[\s().\-–—－/·（）]{0,3}\d){6,}"  # seven digits or more, however grouped
    r"(?:\s?(?:x|ext\.?)\s?\d+)?(?![0-9A-Za-z_])"
)


def mask_text(text: str) -> str:
    """A text without e-mail addresses, phone and card numbers, tokens and passwords."""
    if "://" in text:
        text = _CREDENTIALS.sub(f"{MASK}@", text)
    if "@" in text or "＠" in text:
        text = _EMAIL.sub(MASK, text.replace("＠", "@"))
    text = _TOKEN.sub(MASK, text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    return _NUMBER.sub(MASK, text)


def is_secret_name(key: str) -> bool:
    """Whether what is kept under this name is masked whatever it looks like."""
    lower = key.lower()
    return lower not in OWN_KEYS and (lower in SECRET_NAMES or lower.endswith(SECRET_ENDINGS))


def masked(value: Any) -> Any:
    """The same value with secrets and personal data replaced, by name and by shape."""
    match value:
        case str():
            return mask_text(value)
        case bytes():
            return f"[{len(value)} bytes]"
        case dict():
            return {str(k): MASK if is_secret_name(str(k)) else masked(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            return mask_text(str(value))


def readable(raw: bytes) -> str:
    """Bytes as masked text: JSON where they are an encoded record, else what can be read of them."""
    for decode in (msgspec.json.decode, msgspec.msgpack.decode):
        try:
            value = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            continue
        if isinstance(value, dict | list):
            return msgspec.json.format(msgspec.json.encode(masked(value), enc_hook=str), indent=2).decode()
    return mask_text(raw.decode("utf-8", "replace"))
