"""How commands speak: tables for people, one JSON value with --json, errors on standard error with an exit code."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer

from actors.errors import WeirError
from weir.config import Config, debug_wanted, load_config

P = ParamSpec("P")
Result = TypeVar("Result")
EXIT_FAILED = 1
WIDE = 250

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
ConfigFile = Annotated[str | None, typer.Option("--config", help="TOML file with settings.", metavar="FILE")]
DataDir = Annotated[
    str | None, typer.Option("--data-dir", "--data", help="Folder of the log and the database.", metavar="DIR")
]


def told_plainly(command: Callable[P, Result]) -> Callable[P, Result]:
    """Errors of Weir become one line on standard error and exit code 1; WEIR_DEBUG=1 shows the stack."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except (WeirError, OSError) as error:
            if debug_wanted():
                raise
            fail(str(error))
        except KeyboardInterrupt:
            fail("interrupted")
        except typer.Exit:
            raise
        except Exception as error:
            if debug_wanted():
                raise
            fail(f"unexpected {type(error).__name__}: {error}; WEIR_DEBUG=1 shows where")

    return wrapped


def fail(reason: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say why on standard error and leave."""
    sys.stderr.write(f"weir: {reason}\n")
    raise typer.Exit(code)


def say(text: str = "") -> None:
    """A line on standard output."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any) -> None:
    """A JSON value on standard output."""
    say(json.dumps(value, ensure_ascii=False, default=str))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for people."""
    from rich.console import Console  # noqa: PLC0415 # rich takes long to import: only tables pay for it
    from rich.table import Table  # noqa: PLC0415 # as above
    from rich.text import Text  # noqa: PLC0415 # as above

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    # A file or pipe has no width of its own: there no cell is cut.
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, str], None]]:
    """A line on standard error that is told (percent, text) now and then; silent where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _percent, _text: None
        return

    def show(percent: int, text: str) -> None:
        sys.stderr.write(f"\r\033[K{what} {percent:3d} % {text}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\033[K")


def configured(file: str | None, flags: Mapping[str, object]) -> Config:
    """The settings in force for this command. Raises ConfigurationError."""
    return load_config(flags, file=file)
