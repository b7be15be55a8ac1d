"""Everything a story of faults is told about: three brokers, Redis, a database, a fleet, and cables between them.

Where the machine allows namespaces, every worker is a host of its own whose cable can be pulled, and so are the
services; elsewhere the last worker reaches Kafka through proxies that can stop, and only that one can be cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.fleet import ROOT, Fleet, Member
from tests.services import cache, ferretdb, guard, netns, redis
from tests.services import kafka as kafka_service

PARTITIONS = 6
WORKERS = 3
WEBS = 2
DISK_MIB = 4096
SPARE_KIB = 16 * 1024
"""More than anybody writes between a look at the disk and its new size."""
FILLER = "filler"
PAGE = 4096
MIB = 2**20


class Disk:
    """A file system in memory that can be full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave no page free: little room first, then a file that takes what is left of it."""
        self._resize(shutil.disk_usage(self.folder).used // 1024 + SPARE_KIB)
        with contextlib.suppress(OSError), (self.folder / FILLER).open("wb", buffering=0) as file:
            while True:
                file.write(bytes(PAGE))

    def free(self) -> None:
        """Give the room back."""
        (self.folder / FILLER).unlink(missing_ok=True)
        self._resize(DISK_MIB * 1024)

    def _resize(self, kib: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={kib}k", str(self.folder)], check=True, capture_output=True)


class Town:
    """One deployment on services of its own."""

    def __init__(
        self,
        folder: Path,
        kafka: kafka_service.Kafka,
        database: ferretdb.FerretServer,
        redis_server: redis.RedisServer,
        disk: Disk | None,
    ) -> None:
        self.folder = folder
        self.kafka = kafka
        self.database = database
        self.redis = redis_server
        self._disk = disk
        self.fleet = Fleet([])
        self.struck_at = 0.0
        self._proxied: kafka_service.Proxied | None = None

    @property
    def disk(self) -> Disk:
        """The database's disk; raises RuntimeError where none could be made."""
        if self._disk is None:
            raise RuntimeError("this machine allows no file system of our own: run as root, or leave the fault out")
        return self._disk

    @property
    def may_fill(self) -> bool:
        """Whether the database has a disk that can be full."""
        return self._disk is not None

    @property
    def cables(self) -> str:
        """How workers are cut off here."""
        return "proxies" if self._proxied else "network namespaces"

    def settings(self) -> dict[str, Any]:
        """The settings all processes share."""
        return {
            "broker": self.kafka.url,
            "database": f"{self.database.url}chaos" if self.database.url.endswith("/") else self.database.url,
            "redis": f"{self.redis.url}/0",
            "partitions": PARTITIONS,
            "port": 0,
            "worker_port": 0,
            "log_format": "json",
        }

    def people(self, hosts: list[netns.Host], proxied: kafka_service.Proxied | None) -> None:
        """Prepare the fleet; nothing starts yet."""
        self._proxied = proxied
        members: list[Member] = []
        for number in range(1, WORKERS + 1):
            settings = self.settings()
            if proxied is not None and number == WORKERS:
                settings["broker"] = proxied.url
            host = hosts[number - 1] if hosts else None
            members.append(Member("worker", number, self.folder, settings, host))
        members += [Member("web", number, self.folder, self.settings(), None) for number in range(1, WEBS + 1)]
        self.fleet = Fleet(members)
        self.config = self.folder / "weir.toml"
        values = self.settings().items()
        self.config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `weir` command against this deployment."""
        command = [sys.executable, "-m", "weir", *arguments, "--config", str(self.config)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    def may_cut(self, member: Member) -> bool:
        """Whether this worker has a cable that can be pulled."""
        return member.host is not None or (self._proxied is not None and member.name == f"worker{WORKERS}")

    def cut(self, member: Member) -> None:
        """Pull the cable."""
        if member.host is not None:
            member.host.cut()
        else:
            assert self._proxied is not None
            self._proxied.cut()

    def mend(self, member: Member) -> None:
        """Plug it in again."""
        if member.host is not None:
            member.host.heal()
        else:
            assert self._proxied is not None
            self._proxied.heal()

    async def wait_since_strike(self, seconds: float) -> None:
        """Until so many seconds have passed since the fault struck."""
        await asyncio.sleep(max(0.0, self.struck_at + seconds - time.monotonic()))


@contextmanager
def built() -> Iterator[Town]:
    """A town for the length of the block. Raises cache.UnavailableError when a service cannot be had."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="weir-chaos-"))
        guard.tell("remove", str(folder))
        disk = stack.enter_context(_disk())
        network = _network(stack)
        hosts = [network.host() for _ in range(5 + WORKERS)] if network else []
        kafka = stack.enter_context(kafka_service.running(brokers=3, inside=hosts[:3]))
        parent = disk.folder if disk else None
        database = stack.enter_context(ferretdb.running(parent=parent, inside=hosts[3] if hosts else None))
        redis_server = stack.enter_context(redis.running(inside=hosts[4] if hosts else None))
        town = Town(folder, kafka, database, redis_server, disk)
        town.people(hosts[5:], None if hosts else stack.enter_context(kafka.proxied()))
        try:
            yield town
        finally:
            guard.tell("keep", str(folder))
        # Not after a failure: then its logs tell the story.
        shutil.rmtree(folder, ignore_errors=True)


def _network(stack: ExitStack) -> netns.Network | None:
    try:
        netns.prepare()
    except cache.UnavailableError:
        return None
    return stack.enter_context(netns.network())


@contextmanager
def _disk() -> Iterator[Disk | None]:
    """A file system in memory of our own, where the machine allows it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="weir-disk-"))
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        folder.rmdir()
        yield None
        return
    guard.tell("undo", f"umount -l {folder}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
        guard.tell("done", f"umount -l {folder}")
        with contextlib.suppress(OSError):
            folder.rmdir()
