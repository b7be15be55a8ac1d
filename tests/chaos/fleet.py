"""Workers and webs as real processes, each started again when it ends, as a supervisor of a deployment would."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.services import guard
from tests.services.netns import Host

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
AGAIN_S = 0.3
POLL_S = 0.1


class Member:
    """One process. `exits` has the status of every life but the one it leads."""

    def __init__(self, role: str, number: int, folder: Path, settings: dict[str, Any], host: Host | None) -> None:
        self.name = f"{role}{number}"
        self.role = role
        self.host = host
        self.exits: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.out = folder / f"{self.name}.log"
        self.wanted = True
        self._told_from = 0
        self._config = folder / f"{self.name}.toml"
        self._config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))

    def launch(self) -> None:
        """Start the process."""
        command = [sys.executable, "-m", "weir", self.role, "--config", str(self._config)]
        if self.host is not None:
            command = self.host.command(command)
        self._told_from = self.out.stat().st_size if self.out.exists() else 0
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        guard.tell("watch", self.process.pid)

    @property
    def pid(self) -> int:
        """The process id of the present life, or of the last one."""
        assert self.process is not None
        return self.process.pid

    @property
    def address(self) -> str | None:
        """Where this life answers; None as long as it has not said so."""
        if self.process is None or self.process.poll() is not None:
            return None
        with self.out.open("rb") as out:
            out.seek(self._told_from)
            found = ADDRESS.search(out.read(20_000).decode(errors="replace"))
        return found.group() if found else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Fleet:
    """All processes of a deployment."""

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self._supervisor: asyncio.Task[None] | None = None

    def of(self, role: str) -> list[Member]:
        """The members of a role."""
        return [member for member in self.members if member.role == role]

    def addresses(self) -> list[str]:
        """Where the web processes answer now."""
        return [member.address for member in self.of("web") if member.address]

    def start(self) -> None:
        """Start everybody, and supervise them from now on."""
        for member in self.members:
            member.launch()
        self._supervisor = asyncio.create_task(self._supervise(), name="supervisor")

    async def stop(self) -> None:
        """End everybody in good order."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        for member in self.members:
            member.signal(signal.SIGCONT)
            member.signal(signal.SIGTERM)
        for member in self.members:
            assert member.process is not None
            try:
                await asyncio.to_thread(member.process.wait, 30)
            except subprocess.TimeoutExpired:
                member.signal(signal.SIGKILL)
                member.process.wait()
            guard.tell("forget", member.pid)

    async def _supervise(self) -> None:
        ended_at: dict[str, float] = {}
        while True:
            for member in self.members:
                assert member.process is not None
                status = member.process.poll()
                if status is None:
                    continue
                if member.name not in ended_at:
                    ended_at[member.name] = time.monotonic()
                    member.exits.append(status)
                    guard.tell("forget", member.pid)
                if member.wanted and time.monotonic() - ended_at[member.name] >= AGAIN_S:
                    del ended_at[member.name]
                    member.launch()
            await asyncio.sleep(POLL_S)
