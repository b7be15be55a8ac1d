"""A product of its own for a load test: `weir serve` on a free port and a temporary folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from msgspec import Struct

READY_S = 60.0
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
        create = [*WEIR, "token", "create", "loadtest", "--role", "admin", "--data-dir", str(data)]
        secret = subprocess.run(create, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()  # noqa: S603 # our own program
        token_file = folder / "token"
        token_file.touch(mode=0o600)
        token_file.write_text(secret, encoding="utf-8")
        port = free_port()
        serve = [*WEIR, "serve", "--port", str(port), "--data-dir", str(data), "--log-level", "warning"]
        with (
            (folder / "serve.txt").open("wb") as said,
            subprocess.Popen(serve, stdout=said, stderr=subprocess.STDOUT) as process,  # noqa: S603 # our own program
        ):
            try:
                host = f"http://127.0.0.1:{port}"
                if not _ready(host, process):
                    last = (folder / "serve.txt").read_text("utf-8", "replace")[-2000:]
                    raise RuntimeError(f"weir serve did not come up (exit code {process.poll()}); it said:\n{last}")
                yield Product(host=host, token_file=token_file, pid=process.pid)
            finally:
                _end(process)


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
