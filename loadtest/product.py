"""Products of one's own for load tests and benchmarks: processes of `weir` on free ports."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from msgspec import Struct

READY_S = 90.0
STOP_S = 30.0
WEIR = (sys.executable, "-m", "weir")


class Product(Struct, frozen=True, kw_only=True):
    """A running product: its address, a file with an administrator's token, its process."""

    host: str
    token_file: Path
    pid: int


@contextmanager
def running_product() -> Iterator[Product]:
    """Start an embedded product; it and its data are gone after the block. Raises RuntimeError when it fails to."""
    with tempfile.TemporaryDirectory(prefix="weir-loadtest-") as name:
        folder = Path(name)
        data = folder / "data"
        secret = new_token("loadtest", "admin", "--data-dir", str(data))
        token_file = folder / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(secret, encoding="utf-8")
        serve = ["serve", "--data-dir", str(data), "--log-level", "warning"]
        with running_weir(serve, folder / "serve.txt") as (host, pid):
            yield Product(host=host, token_file=token_file, pid=pid)


@contextmanager
def running_weir(
    arguments: Sequence[str], said: Path, *, env: Mapping[str, str] | None = None, core: int | None = None
) -> Iterator[tuple[str, int]]:
    """`weir` with these arguments, ready, for the length of the block: its address and its process.

    What it says is kept in `said`. `core`: the one processor core it may use. Raises RuntimeError when it fails to
    start.
    """
    port = free_port()
    pinned = () if core is None else ("taskset", "--cpu-list", str(core))
    command = [*pinned, *WEIR, *arguments, "--port", str(port)]
    with (
        said.open("wb") as sink,
        subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=env) as process,  # noqa: S603 # our own program
    ):
        try:
            host = f"http://127.0.0.1:{port}"
            if not _ready(host, process):
                last = said.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(
                    f"weir {arguments[0]} did not come up (exit code {process.poll()}); it said:\n{last}"
                )
            yield host, process.pid
        finally:
            _end(process)


def new_token(name: str, role: str, *flags: str, env: Mapping[str, str] | None = None) -> str:
    """An API token; `flags` tell where the product keeps its tokens."""
    create = [*WEIR, "token", "create", name, "--role", role, *flags]
    return subprocess.run(create, stdout=subprocess.PIPE, check=True, text=True, env=env).stdout.strip()  # noqa: S603 # our own program


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _ready(host: str, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{host}/readyz", trust_env=False).is_success:
                return True
        except httpx.TransportError:
            time.sleep(0.1)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
