"""Logging: one line per event, as JSON or for people, to standard error; no secret and no personal data gets through.

Masking works twice: by name (whatever is called text, name, password, ...) and by shape (e-mail addresses, card
and phone numbers, tokens) in every string, the stack of an error included. It rather masks too much than too little.
"""

import logging
import sys
from typing import Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.masking import MASK, is_secret_name, masked

LEAST_DIGITS = 7
QUIET = ("faust", "httpcore", "httpx", "mode", "streams.embedded", "streams.faust_app", "uvicorn")
"""Loggers whose everyday chatter would hide what matters: only their warnings are kept."""
SILENT = ("aiokafka",)
"""Loggers that repeat many times a second what Weir itself says once, with what to do."""


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
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: the event with secrets and personal data replaced by `[masked]`."""
    for key, value in event.items():
        if is_secret_name(key):
            event[key] = MASK if value not in (None, "", MASK) else value
        else:
            event[key] = masked(value)
    return event


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
