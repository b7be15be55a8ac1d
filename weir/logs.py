"""Logging: one line per event, as JSON or for people, to standard error; no secret and no personal data gets through.

Masking works twice: by name (whatever is called text, name, password, ...) and by shape (e-mail addresses, card
and phone numbers, tokens) in every string, the stack of an error included. It rather masks too much than too little.
"""
# ruff: noqa: RUF001 # full-width signs stand in patterns because customers type them

import logging
import re
import sys
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

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
LEAST_DIGITS = 7
QUIET = ("faust", "httpcore", "httpx", "mode", "streams.embedded", "streams.faust_app", "uvicorn")
"""Loggers whose everyday chatter would hide what matters: only their warnings are kept."""

_WORD = r"[^\s@<>\"'(),;:，；。、：（）]"
_EMAIL = re.compile(rf"(?:\"[^\"\n]{{1,64}}\"|{_WORD}+)@{_WORD}+\.{_WORD}+")
_TOKEN = re.compile(
    r"weir_[A-Za-z0-9_-]{8,}|(?i:\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,})|eyJ[\w-]+\.[\w-]+\.[\w-]*"
)
_PAIR = re.compile(r"(?i)\b((?:api[_-]?key|password|passwd|secret|token|sid)\s*[=:]\s*)[^\s,;&\"']+")
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z_])[+＋]?[(（]?\d(?:[\s().\-–—－/·（）]{0,3}\d){6,}"  # seven digits or more, however grouped
    r"(?:\s?(?:x|ext\.?)\s?\d+)?(?![0-9A-Za-z_])"
)


def configure_logs(form: Literal["auto", "json", "console"] = "auto", level: str = "info") -> None:
    """Send everything that is logged, by Weir and by its libraries, through one masking pipeline to stderr."""
    people = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        mask,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    final: Processor = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if people else _as_json
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: the event with secrets and personal data replaced by `[masked]`."""
    for key, value in event.items():
        if is_secret_name(key):
            event[key] = MASK if value not in (None, "", MASK) else value
        else:
            event[key] = _masked(value)
    return event


def mask_text(text: str) -> str:
    """A text without e-mail addresses, phone and card numbers, tokens and passwords."""
    if "@" in text or "＠" in text:
        text = _EMAIL.sub(MASK, text.replace("＠", "@"))
    text = _TOKEN.sub(MASK, text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    return _NUMBER.sub(MASK, text)


def is_secret_name(key: str) -> bool:
    """Whether what is kept under this name is masked whatever it looks like."""
    lower = key.lower()
    return lower not in OWN_KEYS and (lower in SECRET_NAMES or lower.endswith(SECRET_ENDINGS))


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask_text(value)
        case bytes():
            return f"[{len(value)} bytes]"
        case dict():
            return {str(k): MASK if is_secret_name(str(k)) else _masked(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            return mask_text(str(value))


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
