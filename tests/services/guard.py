"""A process beside the tests that ends their servers when the tests end, however they end.

It hears of every server through its standard input; when that closes, the tests are gone: the servers left
are killed with all their children, and their folders are removed. As a program this file uses the standard
library only, so that it is there within milliseconds.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

_lock = threading.Lock()
_guards: dict[int, subprocess.Popen[str]] = {}


def tell(word: str, value: int | str) -> None:
    """Tell this process's guard, started at the first word, what to do at the end, or that it need not any more.

    `watch` and `forget` name a process to kill, `remove` and `keep` a folder, `undo` and `done` a command to run.
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
    commands: list[str] = []
    for line in sys.stdin:
        word, _, value = line.rstrip("\n").partition(" ")
        match word:
            case "watch":
                pids.add(int(value))
            case "forget":
                pids.discard(int(value))
            case "remove":
                folders.add(value)
            case "keep":
                folders.discard(value)
            case "undo":
                commands.append(value)
            case _:
                commands.remove(value)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    for folder in folders:
        if Path(folder).is_dir():
            shutil.rmtree(folder, ignore_errors=True)
    for command in reversed(commands):
        subprocess.run(shlex.split(command), check=False, capture_output=True)


if __name__ == "__main__":
    main()
