"""The product in one process and as a cluster, as real processes, and what both tell over HTTP."""

import itertools
import json
import re
import signal
import time
from contextlib import ExitStack

import httpx

from tests.cluster.sale import account
from tests.weir.processes import PATIENCE_S, Process, wait_until_ready, weir_command

WAIT_S = 300
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 4.0
FENCED = 70
OWNED = re.compile(r'^weir_log_lag_records\{partition="(\d+)"\}', re.MULTILINE)
PROCESSED = re.compile(r"^weir_events_processed_total (\S+)", re.MULTILINE)
YEARS = 3650
"""Days of retention: the sale was long ago."""

_numbers = itertools.count()


class Product:
    """Processes of one deployment; a worker that ends because others took its partitions over is started again."""

    def __init__(self, folder, **settings):
        self._folder = folder
        self._stack = ExitStack()
        self._config = folder / "weir.toml"
        values = {"port": 0, "worker_port": 0, "log_format": "json", "retention_days": YEARS} | settings
        self._config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
        self.processes = {}
        self.started_again = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()
        for process in self.processes.values():
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait(PATIENCE_S)

    def start(self, name, role):
        """Start a process; it is ready on return."""
        out = self._folder / f"{name}-{next(_numbers)}.out"
        self.processes[name] = process = Process([role, "--config", self._config], out)
        wait_until_ready(process.address)
        return process

    def ask(self, process):
        """A client with every right."""
        made = weir_command("token", "create", "test", "--role", "admin", "--config", self._config)
        assert made.returncode == 0, made.stderr
        client = httpx.Client(
            base_url=process.address,
            headers={"Authorization": f"Bearer {made.stdout.strip()}"},
            trust_env=False,
            timeout=PATIENCE_S,
        )
        return self._stack.enter_context(client)

    def look_after(self):
        """What a supervisor does; anything but status 70 is a failure."""
        for name, process in list(self.processes.items()):
            status = process.popen.poll()
            if status is not None:
                assert status == FENCED, f"{name} ended with {status}:\n{process.out}"
                assert self.started_again < len(self.processes), f"{name} ends again and again:\n{process.out}"
                self.started_again += 1
                self.start(name, "worker")

    def until(self, what, say):
        """Wait until `what()` is true; asked ever more seldom, since asking costs a busy database time too."""
        end, pause = time.monotonic() + WAIT_S, FIRST_PAUSE_S
        while not what():
            assert time.monotonic() < end, say()
            self.look_after()
            time.sleep(pause)
            pause = min(1.5 * pause, LONGEST_PAUSE_S)

    def stop(self, *names):
        """End processes in good order."""
        for name in names:
            process = self.processes.pop(name)
            assert process.stop(signal.SIGTERM) == 0, process.out


def figures(process):
    """(numbers of the partitions it has, events it processed) of a worker."""
    text = httpx.get(f"{process.address}/metrics", trust_env=False, timeout=PATIENCE_S).text
    done = PROCESSED.search(text)
    return {int(number) for number in OWNED.findall(text)}, int(float(done.group(1))) if done else 0


def everything(http, path):
    """All items of a list."""
    items, cursor = [], None
    while True:
        page = http.get(path, params={"limit": 500} | ({"cursor": cursor} if cursor else {})).raise_for_status().json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def anomalies(http, ends):
    """Those opened before `ends`, by id."""
    return {a["id"]: a for a in everything(http, "/api/v1/anomalies") if a["opened_at"] < ends}


def ledger(http, channels):
    """Accepted, stored, duplicates and rejected, in all (None) and by channel."""
    scopes = {None: {}} | {channel: dict(zip(("platform", "account"), channel, strict=True)) for channel in channels}
    return {
        place: account(http.get("/api/v1/stats", params=scope).raise_for_status().json()["ledger"])
        for place, scope in scopes.items()
    }


def conversations(http):
    """Every conversation as the inbox lists it, by key."""
    return {row["key"]: row for row in everything(http, "/api/v1/conversations")}
