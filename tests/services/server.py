"""One server process under test: started, killed, paused and started again with its data."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services import guard
from tests.services.netns import Host

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
POLL_S = 0.02
LOG_TAIL = 4_000


class StartError(RuntimeError):
    """A server did not come up; the message has the end of its log."""


class Server(ABC):
    """A process with a folder, a log and a way to tell that it answers.

    Calls block: from a coroutine use `await asyncio.to_thread(server.start)`.
    """

    def __init__(self, name: str, command: Sequence[object], folder: Path, inside: Host | None = None) -> None:
        """`inside`: the host it runs on, when that is not this one."""
        self.name = name
        self.command = inside.command(command) if inside else [str(part) for part in command]
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server serves requests now."""

    @property
    def pid(self) -> int:
        """The process's id; raises RuntimeError while there is none."""
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process without waiting for it; nothing happens when it runs."""
        if self.alive:
            return
        self._gone()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._paused = False
        guard.tell("watch", self._process.pid)

    def wait(self, timeout: float = START_TIMEOUT_S) -> None:
        """Wait until the server answers; raises StartError with its log when it does not."""
        deadline = time.monotonic() + timeout
        while not self.answers():
            if not self.alive:
                code = self._process.returncode if self._process else None
                raise StartError(f"{self.name} ended with status {code}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} does not answer after {timeout:.0f} s:\n{self.tail()}")
            time.sleep(POLL_S)

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.launch()
        self.wait()

    def kill(self) -> None:
        """End the process and its children at once (SIGKILL), paused or not."""
        self._signal(signal.SIGKILL)
        self._gone()

    def stop(self, timeout: float = STOP_TIMEOUT_S) -> None:
        """End the process in good order (SIGTERM); killed when it takes too long."""
        if self.alive:
            self.resume()
            self._signal(signal.SIGTERM)
            assert self._process is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()

    def pause(self) -> None:
        """Freeze the process (SIGSTOP): its connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def ensure(self) -> None:
        """Running, going on and answering, whatever was done to it before."""
        if self._paused and self.alive:
            self.resume()
        self.start()

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_text(errors="replace")[-LOG_TAIL:] if self.log.exists() else "(no log)"

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _gone(self) -> None:
        if self._process is not None:
            self._process.wait()
            guard.tell("forget", self._process.pid)
            self._process = None
        self._paused = False


@contextmanager
def own_folder(name: str, parent: Path | None = None) -> Iterator[Path]:
    """A temporary folder, removed at the end even when the tests are killed."""
    folder = Path(tempfile.mkdtemp(prefix=f"weir-{name}-", dir=parent))
    guard.tell("remove", str(folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        guard.tell("keep", str(folder))


def ask(host: str, port: int, request: bytes) -> bytes:
    """What a server answers first; nothing when it cannot be reached or says nothing within a second."""
    try:
        with socket.create_connection((host, port), timeout=1) as link:
            link.sendall(request)
            return link.recv(4096)
    except OSError:
        return b""


def listens(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
