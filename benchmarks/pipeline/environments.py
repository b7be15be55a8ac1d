"""The peers' own virtual environments, made from their locks when they are missing or out of date.

Weir runs in one of them too, so that Python and msgspec are the same for everybody; what Weir ships with is compared
with what is measured, and a difference stops the benchmark.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAIN = "bench"
QUIX = "bench-quix"
SHARED = ("faust-streaming", "aiokafka", "msgspec", "uvloop", "pymongo", "redis", "cramjam")


class MissingError(Exception):
    """The environments cannot be made; the message says what is missing."""


def python(name: str) -> Path:
    """The interpreter of an environment that fits its lock."""
    lock = ROOT / f"requirements-{name}.lock"
    folder = ROOT / f".venv-{name}"
    interpreter = folder / "bin" / "python"
    mark = folder / "lock.sha256"
    wanted = sha256(lock.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text("utf-8") == wanted and interpreter.exists():
        return interpreter
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise MissingError("uv is needed to install the peers: run `make bench-pipeline`, which installs it")
    print(f"installing {lock.name} …", file=sys.stderr, flush=True)
    try:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "sync", "--quiet", "--python", str(interpreter), str(lock)], check=True)
    except subprocess.CalledProcessError as error:
        raise MissingError(f"the peers of {lock.name} could not be installed (see above): {error}") from error
    mark.write_text(wanted, "utf-8")
    return interpreter


def check_versions() -> None:
    """Raises MissingError when the peers' environments hold other versions of what ships than requirements.lock."""
    ships = _pinned(ROOT / "requirements.lock")
    for name in (MAIN, QUIX):
        measured = _pinned(ROOT / f"requirements-{name}.lock")
        for package in SHARED:
            if package in measured and measured[package] != ships[package]:
                raise MissingError(
                    f"requirements-{name}.lock has {package} {measured[package]}, but Weir ships with {ships[package]}:"
                    f" write that into requirements-{name}.in and run `make lock`"
                )


def _pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\\n]+)", lock.read_text("utf-8"), re.MULTILINE))
