"""A database with MongoDB's protocol for the tests: FerretDB over SQLite, compiled from its Go module."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.services import cache, ports
from tests.services.netns import Host
from tests.services.server import Server, ask, own_folder

VERSION = "1.24.0"
SOURCE = Path(__file__).resolve().parent / "ferretdb_server"
"""A Go program of a few lines; its go.sum pins FerretDB and everything below it by hash."""

PING = bytes.fromhex(
    "3300000001000000 00000000dd070000 0000000000"  # length, request 1, answer to none, OP_MSG, no flags, a body
    "1e000000 1070696e670001000000 022464620006000000 61646d696e00 00"  # {ping: 1, $db: "admin"}
)


def prepare() -> Path:
    """Where the program is, compiled when missing (minutes, once); raises cache.UnavailableError."""
    sources = sorted(SOURCE.iterdir())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    program = cache.HOME / f"ferretdb-{VERSION}-{digest}"
    with cache.locked("ferretdb"):
        if not program.exists():
            unfinished = program.with_suffix(".part")
            cache.install(
                ["go", "build", "-trimpath", "-mod=readonly", "-ldflags=-s -w", "-o", unfinished, "."],
                cwd=SOURCE,
                extra={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
            )
            unfinished.rename(program)
    return program


class FerretServer(Server):
    """One FerretDB; every `fresh()` is an empty database of its own."""

    def __init__(self, program: Path, folder: Path, inside: Host | None = None) -> None:
        self.host = host = inside.address if inside else "127.0.0.1"
        self.port = ports.free()[0]
        self.address = f"mongodb://{host}:{self.port}"
        self.url = f"{self.address}/weir"
        self._names = itertools.count(1)
        self._data = folder / "data"
        self._data.mkdir()
        command = [program, "--listen", f"{host}:{self.port}", "--folder", self._data]
        super().__init__("ferretdb", command, folder, inside)

    def fresh(self) -> str:
        """The URL of a database that nobody has used yet."""
        return f"{self.address}/weir{next(self._names)}"

    def index_ids(self) -> None:
        """Let documents be found by their `_id`: its own index is on another expression than its questions use.

        (`_ferretdb_sjson->"_id"` and `->'$._id'`, see `explain query plan` on one of its tables.)
        """
        for path in self._data.glob("*.sqlite"):
            with closing(sqlite3.connect(path, timeout=10)) as database, database:
                for (table,) in database.execute("SELECT table_name FROM _ferretdb_collections").fetchall():
                    index = f'CREATE INDEX IF NOT EXISTS "{table}_by_id" ON "{table}" (_ferretdb_sjson->\'$._id\')'
                    database.execute(index)

    def answers(self) -> bool:
        """Whether it serves requests."""
        return b"\x01ok\x00" in ask(self.host, self.port, PING)


@contextmanager
def running(parent: Path | None = None, inside: Host | None = None) -> Iterator[FerretServer]:
    """One FerretDB for the length of the block: data in a folder under `parent`, running `inside` a host."""
    program = prepare()
    with own_folder("ferretdb", parent) as folder:
        ferret = FerretServer(program, folder, inside)
        try:
            ferret.start()
            yield ferret
        finally:
            ferret.kill()
