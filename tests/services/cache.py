"""Where the programs of the test services are kept, and what happens where they cannot be had."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = Path.home() / ".cache" / "weir-services"
"""Programs once downloaded or compiled; it may be deleted at any time, the next run fetches them anew."""

INSTALL_TIMEOUT_S = 900


class UnavailableError(RuntimeError):
    """A service cannot be had on this machine; the message says why and what to do."""


def required() -> bool:
    """In continuous integration a missing service is a failure, elsewhere a reason to skip."""
    return os.getenv("CI", "").lower() in {"1", "true", "yes"}


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time installs the thing of this name: the others wait, then find it there."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(command: list[str | Path], *, cwd: Path | None = None, extra: dict[str, str] | None = None) -> str:
    """Run one step of an installation and give what it printed; raises UnavailableError with the end of it."""
    named = " ".join(str(part) for part in command[:4])
    variables = os.environ | extra if extra else None  # noqa: TID251 # handed on to the installer, not read here
    try:
        done = subprocess.run(
            command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except FileNotFoundError as wrong:
        raise UnavailableError(f"`{command[0]}` is not on this machine") from wrong
    except subprocess.TimeoutExpired as wrong:
        raise UnavailableError(f"`{named} …` took more than {INSTALL_TIMEOUT_S} s") from wrong
    if done.returncode:
        raise UnavailableError(f"`{named} …` failed: {(done.stderr + done.stdout).strip()[-400:]}")
    return done.stdout
