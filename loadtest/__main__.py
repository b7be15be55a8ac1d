"""`python -m loadtest`: a peak-sale load test of a product of its own, or of any deployment with --host and a token.

Exit code: 0 when the balance holds and everything was sent, 1 when not, 2 when it could not be run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtest.load import LoadOptions
from loadtest.product import Product, free_port, running_product

LOCUSTFILE = Path(__file__).parent / "locust" / "locustfile.py"
HELP = {
    "minutes": "how long the sale lasts by the clock",
    "peak": "events a second in the worst burst, 30 times a normal day",
    "speed": "seconds of the sale in one second of the clock; 1 on a deployment with other traffic",
    "shops": "channels that sell",
    "senders": "webhook connections at the peak",
    "agents": "people reading the inbox",
    "operators": "people watching the monitor",
    "seed": "the same seed gives the same sale",
}


def main(arguments: list[str]) -> int:
    """Run it."""
    asked = _parser().parse_args(arguments)
    if asked.host and not (asked.token or asked.token_file):
        sys.stderr.write("with --host a token is needed: --token-file FILE, or --token T; its role must be admin\n")
        return 2
    with _target(asked) as product:
        numbers = [f"--{name}={getattr(asked, name)}" for name in HELP]
        target = [f"--host={product.host}", f"--token-file={product.token_file}", f"--pid={product.pid}"]
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *numbers, *target, f"--out={asked.out}"]
        command += _with_screen() if asked.ui else ["--headless", "--only-summary", f"--json-file={asked.out}/locust"]
        command += ["--loglevel=WARNING"] if not asked.ui else []
        return _run(command)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtest", description=__doc__)
    defaults = LoadOptions()
    for name, told in HELP.items():
        default = getattr(defaults, name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{told} ({default:g})")
    parser.add_argument("--host", default="", help="address of a deployment; without it a product is started")
    parser.add_argument("--token", default="", help="API token of an administrator; other users see it: better a file")
    parser.add_argument("--token-file", default="", help="file that holds the token")
    parser.add_argument("--pid", type=int, default=0, help="the server's process, when it is on this machine")
    parser.add_argument("--out", default="loadtest-report", help="folder of the report (loadtest-report)")
    parser.add_argument("--ui", action="store_true", help="show Locust's own screen; the report is under /weir-report")
    return parser


@contextmanager
def _target(asked: argparse.Namespace) -> Iterator[Product]:
    if not asked.host:
        with running_product() as product:
            yield product
        return
    with tempfile.TemporaryDirectory(prefix="weir-loadtest-") as folder:
        token_file = Path(asked.token_file or Path(folder) / "token")
        if asked.token:
            token_file.touch(mode=0o600)
            token_file.write_text(asked.token, encoding="utf-8")
        yield Product(host=asked.host.rstrip("/"), token_file=token_file, pid=asked.pid)


def _with_screen() -> list[str]:
    port = free_port()
    sys.stdout.write(f"Locust: http://127.0.0.1:{port}, the report: http://127.0.0.1:{port}/weir-report\n")
    sys.stdout.flush()
    return ["--autostart", "--web-host=127.0.0.1", f"--web-port={port}"]


def _run(command: list[str]) -> int:
    """Locust's exit code; Ctrl-C ends it in order, with a report."""
    with subprocess.Popen(command) as locust:  # noqa: S603 # our own program
        while True:
            try:
                return locust.wait()
            except KeyboardInterrupt:
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
