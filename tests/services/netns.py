"""Hosts of their own for processes under test: network namespaces on a bridge, whose cables can be pulled.

Needs root and a kernel that allows namespaces. A pulled cable is silent, as in life: nobody is told that a connection
is gone. The addresses are from the range that is reserved for tests of networks; nothing leaves this machine.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.services import apt, cache, guard

PREFIX = "198.18"
NOBODY = "02:00:00:00:00:01"
"""A hardware address that no host has."""

TRIES = 20
_choice = random.SystemRandom()


class Host:
    """A namespace with one cable to the network. Start a process there with `Popen(host.command([...]))`."""

    def __init__(self, network: Network, number: int) -> None:
        self.name = f"{network.name}h{number}"
        self.address = f"{network.subnet}.{number + 1}"
        self._bridge = network.name
        self._inside = f"{self.name}i"
        _ip("netns", "add", self.name)
        guard.tell("undo", f"ip netns del {self.name}")
        _ip("link", "add", self.name, "type", "veth", "peer", "name", self._inside)
        _ip("link", "set", self._inside, "netns", self.name)
        _ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", self._inside)
        for device in ("lo", self._inside):
            _ip("-n", self.name, "link", "set", device, "up")
        _ip("link", "set", self.name, "master", self._bridge, "up")

    def command(self, command: Sequence[object]) -> list[str]:
        """The command as it runs on this host, in a process with the same id."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def cut(self, other: Host | None = None) -> None:
        """Pull the cable; with `other`, only what passes between the two is lost."""
        if other is None:
            _ip("link", "set", self.name, "nomaster")
            return
        for here, there in ((self, other), (other, self)):
            way = [there.address, "lladdr", NOBODY, "dev", here._inside, "nud", "permanent"]
            _ip("-n", here.name, "neigh", "replace", *way)

    def heal(self, other: Host | None = None) -> None:
        """Plug the cable in again; with `other`, the two find each other again."""
        if other is None:
            _ip("link", "set", self.name, "master", self._bridge)
            return
        for here, there in ((self, other), (other, self)):
            _ip("-n", here.name, "neigh", "del", there.address, "dev", here._inside)

    def remove(self) -> None:
        """Take the host away; whatever still runs on it has no network any more."""
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", self.name)
        _ip("netns", "del", self.name)
        guard.tell("done", f"ip netns del {self.name}")


class Network:
    """A bridge with hosts; the tests themselves have the first address on it."""

    def __init__(self) -> None:
        for last in range(TRIES):
            third = _choice.randrange(256)
            self.name, self.subnet = f"weir{third}", f"{PREFIX}.{third}"
            try:
                _ip("link", "add", self.name, "type", "bridge")
                break
            except subprocess.CalledProcessError:  # another run has that one
                if last == TRIES - 1:
                    raise
        guard.tell("undo", f"ip link del {self.name}")
        self.address = f"{self.subnet}.1"
        _ip("addr", "add", f"{self.address}/24", "dev", self.name)
        _ip("link", "set", self.name, "up")
        self.hosts: list[Host] = []

    def host(self) -> Host:
        """One more host."""
        host = Host(self, len(self.hosts) + 1)
        self.hosts.append(host)
        return host

    def remove(self) -> None:
        """Take the hosts and the bridge away."""
        for host in self.hosts:
            host.remove()
        _ip("link", "del", self.name)
        guard.tell("done", f"ip link del {self.name}")


def prepare() -> None:
    """Find out whether namespaces can be had; raises cache.UnavailableError with the reason."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise cache.UnavailableError("network namespaces need Linux and root")
    if shutil.which("ip") is None:
        apt.install(["iproute2"])
    try:
        with network() as trial:
            trial.host()
    except subprocess.CalledProcessError as wrong:
        reason = f"this kernel or container forbids `{' '.join(wrong.cmd)}`: {wrong.stderr.strip()}"
        raise cache.UnavailableError(reason) from wrong


@contextmanager
def network() -> Iterator[Network]:
    """A network for the length of the block."""
    made = Network()
    try:
        yield made
    finally:
        made.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
