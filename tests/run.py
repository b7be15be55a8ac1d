"""Every check of the repository, as `make test` and continuous integration run them.

Style, format and import contracts come first, types are checked beside the tests, pytest's closing line is
the last.
Arguments are handed to pytest: `python -m tests.run tests/actors -k delay`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.services import cache, chromium, ferretdb, kafka, redis

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

QUICK = (
    ("style", [BIN / "ruff", "check", "--output-format", "concise", "."]),
    ("format", [BIN / "ruff", "format", "--check", "."]),
    ("imports", [BIN / "lint-imports"]),
)
SERVICES = (("kafka", kafka.prepare), ("redis", redis.prepare), ("ferretdb", ferretdb.prepare))
TYPES = ("types", [BIN / "basedpyright", "--level", "error"])


def main(arguments: list[str]) -> int:
    """Run every check; 0 when all passed, else pytest's exit code or 1."""
    threading.Thread(target=prepare_services, daemon=True).start()
    failed = [name for name, command in QUICK if not check(name, command)]
    say("browser", chromium.ensure())

    beside: list[bool] = []
    types = threading.Thread(target=lambda: beside.append(check(*TYPES)))
    types.start()
    code, closing = run_pytest(arguments)
    types.join()
    if not all(beside):
        failed.append(TYPES[0])

    if failed:
        say("FAILED", f"{', '.join(failed)}: see above")
    print(closing, flush=True)  # noqa: T201 # the closing line belongs to pytest
    return code or (1 if failed else 0)


def prepare_services() -> None:
    """Fetch or compile what service tests need, beside everything else; a test that is earlier waits for it."""
    for name, prepare in SERVICES:
        try:
            say(name, str(prepare()))
        except cache.UnavailableError as wrong:
            say(name, f"NOT AVAILABLE: {wrong}")


def check(name: str, command: list[Path | str]) -> bool:
    """Run one checker; its output is shown only when it found something."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        say(name, f"FAILED after {seconds:.1f} s\n{done.stdout.rstrip()}")
    else:
        say(name, f"passed in {seconds:.1f} s")
    return done.returncode == 0


def run_pytest(arguments: list[str]) -> tuple[int, str]:
    """Run pytest and show its output as it comes, all but the closing line: (exit code, closing line)."""
    colour = "yes" if sys.stdout.isatty() else "no"
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--color={colour}",
        "--durations=15",
        "--durations-min=2",
        *arguments,
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pytest:
        assert pytest.stdout is not None
        held = ""
        for line in pytest.stdout:
            if held:
                print(held, end="", flush=True)  # noqa: T201 # a program that reports
            held = line
    return pytest.returncode, held.rstrip("\n")


def say(name: str, text: str) -> None:
    """One line of the report."""
    print(f"{name:>8}  {text}", flush=True)  # noqa: T201 # a program that reports


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
