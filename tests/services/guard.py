"""A process beside the tests that ends their servers when the tests end, however they end.

It hears of every server through its standard input; when that closes, the tests are gone: the servers left
are killed with all their children, and their folders are removed. As a program this file uses the standard
library only, so that it is there within milliseconds.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

_lock = threading.Lock()
_guards: dict[int, subprocess.Popen[str]] = {}


def tell(word: str, value: int | str) -> None:
    """Tell this process's guard, started at the first word: `watch`/`forget` a pid, `keep`/`remove` a folder.

    `remove` names a folder that the guard removes at the end; `keep` takes that back.
    """
    with _lock:
        guard = _guards.get(os.getpid())
        if guard is None:
            guard = _guards[os.getpid()] = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
            )
            atexit.register(_let_go, guard)
        assert guard.stdin is not None
        guard.stdin.write(f"{word} {value}\n")
        guard.stdin.flush()


def _let_go(guard: subprocess.Popen[str]) -> None:
    assert guard.stdin is not None
    guard.stdin.close()
    if _guards.get(os.getpid()) is guard:  # a forked child has a copy and waits for nobody
        guard.wait()


def main() -> None:
    """Listen until the tests are gone, then clear up."""
    pids: set[int] = set()
    folders: set[str] = set()
    for line in sys.stdin:
        word, _, value = line.rstrip("\n").partition(" ")
        match word:
            case "watch":
                pids.add(int(value))
            case "forget":
                pids.discard(int(value))
            case "remove":
                folders.add(value)
            case _:
                folders.discard(value)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    for folder in folders:
        if Path(folder).is_dir():
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
