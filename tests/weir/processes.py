"""Real processes of Weir, started as people start them."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
PASSWORD = re.compile(r"password +([A-Za-z0-9-]{23})")


class Process:
    """A running `weir`; `out` is what it has said so far."""

    def __init__(self, arguments, out):
        self.file = out
        with out.open("wb") as sink:
            command = [sys.executable, "-m", "weir", *map(str, arguments)]
            self.popen = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)

    @property
    def out(self):
        return self.file.read_text()

    @property
    def address(self):
        """Where it answers."""
        return self.find(ADDRESS).group()

    def find(self, pattern):
        """The pattern in what it says, waiting for it."""
        end = time.monotonic() + PATIENCE_S
        while not (found := pattern.search(self.out)):
            assert self.popen.poll() is None, self.out
            assert time.monotonic() < end, self.out
            time.sleep(0.05)
        return found

    def stop(self, number=signal.SIGINT):
        self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_S)


def weir_command(*arguments):
    command = [sys.executable, "-m", "weir", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def wait_until_ready(address):
    """A busy machine may make the watchdog complain for a moment: it must find its peace."""
    end = time.monotonic() + PATIENCE_S
    while (answer := httpx.get(f"{address}/readyz", trust_env=False)).status_code != 200:
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)
