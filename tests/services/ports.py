"""Ports for servers that are killed and started again at the same address."""

from __future__ import annotations

import random
import socket
import sys
from pathlib import Path

LOWEST = 15_000
_choice = random.SystemRandom()


def free(count: int = 1) -> list[int]:
    """Free loopback ports, this process's own until it ends.

    They lie below those the kernel gives to outgoing connections: while a server is down, a client trying
    to reach it would otherwise sooner or later hold the server's port itself.
    """
    ports: list[int] = []
    highest = _first_outgoing() - 1
    while len(ports) < count:
        port = _choice.randint(LOWEST, highest)
        if _reserve(port):
            ports.append(port)
    return ports


def _first_outgoing() -> int:
    setting = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(setting.read_text().split()[0]) if setting.exists() else 32_768
    return lowest if lowest > LOWEST + 1_000 else 32_768


def _reserve(port: int) -> bool:
    """Take the port where no other test run has it and nobody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    if sys.platform != "linux":
        return True
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0weir-test-port-{port}")  # an abstract name: machine-wide, gone with this process
    except OSError:
        mark.close()
        return False
    mark.detach()  # it stays open
    return True
