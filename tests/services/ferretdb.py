"""A database with MongoDB's protocol for the tests: FerretDB over SQLite, compiled from its Go module."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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


MODULE = "github.com/FerretDB/FerretDB"
UPDATED = 'result, err := common.UpdateDocument(ctx, c, "update", iter, &u)'
EACH = "for _, u := range params.Updates {"
TAKING_TURNS = "updating.Lock()\n\tdefer updating.Unlock()\n\n\t"
CHANGES = (
    ("internal/backends/sqlite/collection.go", "if params.Filter.Len() == 1 {", "if params.Filter.Len() > 0 {"),
    ("internal/backends/sqlite/metadata/metadata.go", """DefaultColumn + "->'$._id'\"""", 'DefaultColumn + `->"_id"`'),
    ("internal/handler/msg_update.go", UPDATED, f"{UPDATED}\n\t\tcloser.Close()"),
    ("internal/handler/msg_update.go", EACH, TAKING_TURNS + EACH),
    ("internal/handler/msg_update.go", '"fmt"\n', '"fmt"\n\t"sync"\n'),
    ("internal/handler/msg_update.go", "// MsgUpdate implements", "var updating sync.Mutex\n\n// MsgUpdate implements"),
)
"""A few lines of FerretDB that are compiled otherwise: (file, what stands there, what is to stand there).

What is looked for by `_id` and something else is found by its `_id` first, and by the expression that the index on it
has: as it is, each update reads every document, and with thousands of them a save takes seconds. A command of many
updates gives each one's connection back at once, not at its end: as it is, two commands of a hundred take all there are
and wait for each other until they time out. And commands of updates take turns: as it is, a document that two of them
have matched is written by both, and the last one takes away what the other has written, which no MongoDB does.
"""


def prepare() -> Path:
    """Where the program is, compiled when missing (minutes, once); raises cache.UnavailableError."""
    sources = sorted(SOURCE.iterdir())
    content = b"".join(path.read_bytes() for path in sources) + repr(CHANGES).encode()
    digest = hashlib.sha256(content).hexdigest()[:12]
    program = cache.HOME / f"ferretdb-{VERSION}-{digest}"
    with cache.locked("ferretdb"):
        if not program.exists():
            unfinished = program.with_suffix(".part")
            go = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
            cache.install(["go", "mod", "download", MODULE], cwd=SOURCE, extra=go)
            found = cache.install(["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", MODULE], cwd=SOURCE, extra=go)
            with TemporaryDirectory() as folder:
                changed = _changed(Path(found.strip()), Path(folder))
                how = ["-trimpath", "-mod=readonly", "-ldflags=-s -w", f"-modfile={changed}", "-o", unfinished]
                cache.install(["go", "build", *how, "."], cwd=SOURCE, extra=go)
            unfinished.rename(program)
    return program


def _changed(module: Path, folder: Path) -> Path:
    """A copy of FerretDB with its CHANGES, and the go.mod that builds with it; all in this folder."""
    copy = folder / "ferretdb"
    shutil.copytree(module, copy, copy_function=shutil.copyfile)
    for name, before, after in CHANGES:
        text = (copy / name).read_text(encoding="utf-8")
        if before not in text:
            raise cache.UnavailableError(f"FerretDB: {name} has no {before!r}; see CHANGES in {Path(__file__).name}")
        (copy / name).write_text(text.replace(before, after), encoding="utf-8")
    shutil.copyfile(SOURCE / "go.sum", folder / "go.sum")
    replaced = folder / "go.mod"
    replaced.write_text(
        f"{(SOURCE / 'go.mod').read_text(encoding='utf-8')}\nreplace {MODULE} => {copy}\n", encoding="utf-8"
    )
    return replaced


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
