"""Redis for the tests, from the system's packages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import apt, cache, ports
from tests.services.netns import Host
from tests.services.server import Server, ask, own_folder

PROGRAM = "redis-server"
LIBRARIES = ("redis-tools", "libatomic1", "libjemalloc2", "liblua5.1-0", "liblzf1", "lua-bitop", "lua-cjson")


def prepare() -> Path:
    """Where Redis is, installed when missing; raises cache.UnavailableError."""
    with cache.locked("redis"):
        unpacked = cache.HOME / "redis" / PROGRAM
        found = shutil.which(PROGRAM) or (str(unpacked) if unpacked.exists() else None)
        if found is None and apt.may_install():
            apt.install([PROGRAM])
            found = shutil.which(PROGRAM)
        return Path(found) if found else _unpack(unpacked)


def _unpack(program: Path) -> Path:
    """Redis out of its package without installing it: enough for a user who is not root."""
    folder = program.parent
    folder.mkdir(parents=True, exist_ok=True)
    cache.install(["apt-get", "download", PROGRAM, *LIBRARIES], cwd=folder)
    for package in sorted(folder.glob("*.deb")):
        cache.install(["dpkg-deb", "-x", package, folder])
        package.unlink()
    libraries = ":".join(str(path.parent) for path in folder.glob("usr/lib/*/libjemalloc.so.2"))
    program.write_text(f'#!/bin/sh\nexec env LD_LIBRARY_PATH="{libraries}" {folder}/usr/bin/{PROGRAM} "$@"\n')
    program.chmod(0o755)
    return program


class RedisServer(Server):
    """One Redis that keeps its data over a kill (append-only file)."""

    def __init__(self, program: Path, folder: Path, inside: Host | None = None) -> None:
        self.host = host = inside.address if inside else "127.0.0.1"
        self.port = ports.free()[0]
        self.url = f"redis://{host}:{self.port}"
        settings = {
            "bind": host,
            "protected-mode": "no",
            "port": self.port,
            "dir": folder,
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "loglevel": "warning",
        }
        file = folder / "redis.conf"
        file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        super().__init__("redis", [program, file], folder, inside)

    def answers(self) -> bool:
        """Whether it serves requests: not while it still loads its data."""
        return ask(self.host, self.port, b"PING\r\n").startswith(b"+PONG")


@contextmanager
def running(parent: Path | None = None, inside: Host | None = None) -> Iterator[RedisServer]:
    """One Redis for the length of the block: data in a folder under `parent`, running `inside` a host."""
    program = prepare()
    with own_folder("redis", parent) as folder:
        redis = RedisServer(program, folder, inside)
        try:
            redis.start()
            yield redis
        finally:
            redis.kill()
