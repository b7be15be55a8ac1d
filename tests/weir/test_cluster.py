"""The roles as real processes on real services: they share nothing else, and do together what one does alone."""

import itertools
import json
import signal
import time

import httpx
import pytest

from actors.keys import partition_of
from tests.weir.processes import PASSWORD, PATIENCE_S, Process, wait_until_ready
from tests.weir.processes import weir_command as weir

pytestmark = pytest.mark.services
PARTITIONS = 4
_numbers = itertools.count(1)


class Deployment:
    """One deployment on services that others use too; `start(role)` starts a process of it."""

    def __init__(self, kafka, mongo, redis, folder, start):
        number = next(_numbers)
        self.settings = {
            "broker": kafka.url,
            "database": mongo.fresh(),
            "redis": f"{redis.url}/{number % 16}",
            "kafka_topic": f"cluster-{number}-{time.time_ns()}",
            "kafka_group": f"cluster-{number}-{time.time_ns()}",
            "partitions": PARTITIONS,
            "port": 0,
            "worker_port": 0,
            "log_format": "json",
        }
        self.file = folder / "weir.toml"
        self.write()
        self._start = start

    def write(self, **others):
        """Other settings for what starts from now on."""
        values = {**self.settings, **others}.items()
        self.file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values))

    def start(self, role) -> Process:
        return self._start(role, "--config", self.file)

    def run(self, *arguments):
        return weir(*arguments, "--config", self.file)

    def findings(self):
        """What the doctor finds, by what it looked at."""
        told = json.loads(self.run("doctor", "--json").stdout)
        return told["ok"], told["findings"]


@pytest.fixture
def deployment(kafka, mongo, redis_server, tmp_path, start):
    return Deployment(kafka, mongo, redis_server, tmp_path, start)


@pytest.fixture
def client(deployment):
    """Asks a process, as a program with every right."""
    opened = []

    def ask(process):
        if not opened:
            secret = deployment.run("token", "create", "test", "--role", "admin").stdout.strip()
            opened.append({"Authorization": f"Bearer {secret}"})
        made = httpx.Client(base_url=process.address, headers=opened[0], trust_env=False, timeout=30)
        opened.append(made)
        return made

    yield ask
    for made in opened[1:]:
        made.close()


def message(number, account=None):
    return {
        "type": "message",
        "platform": "ebay",
        "account": account or f"shop-{number % 9}",
        "conversation": f"c{number % 7}",
        "message": f"m{number}",
        "sent_at": int(time.time() * 1000),
        "direction": "in",
        "text": f"text {number}",
    }


def until(what, say=lambda: ""):
    """Wait until `what()` is true."""
    end = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < end, say()
        time.sleep(0.1)
    return found


def figure(process, name):
    """The value of a figure without labels."""
    for line in httpx.get(f"{process.address}/metrics", trust_env=False).text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return None


def stored(http):
    return http.get("/api/v1/stats").json()["ledger"]["stored"]


def covered(http):
    monitor = http.get("/api/v1/monitor").json()["monitor"]
    return monitor["channels_checked"], monitor["channels_bound"]


def test_what_goes_in_at_one_process_is_worked_on_by_others_and_shown_by_a_third(deployment, client):
    web = deployment.start("web")
    connect = deployment.start("connect")
    workers = [deployment.start("worker"), deployment.start("worker")]
    for process in (web, connect, *workers):
        wait_until_ready(process.address)
    assert PASSWORD.search(web.out)
    inside, screens = client(connect), client(web)
    for batch in range(4):
        events = [message(25 * batch + n) for n in range(25)]
        assert inside.post("/api/v1/events", json=events).json() == {"accepted": 25, "rejected": []}
    assert screens.post("/api/v1/events", json=[message(7)]).status_code == 202
    until(lambda: stored(screens) == 100)
    assert screens.get("/api/v1/stats").json()["ledger"]["duplicates"] == 1
    assert len(screens.get("/api/v1/conversations").json()["items"]) > 0
    assert inside.get("/api/v1/conversations").status_code == 404
    assert inside.get("/").status_code in {303, 404}

    # Both workers have a share, and each says so.
    until(lambda: figure(web, "weir_processes_in_trouble") == 0)
    until(lambda: all((figure(worker, "weir_events_processed_total") or 0) > 0 for worker in workers))
    until(lambda: covered(screens) == (9, 9))

    ok, findings = deployment.findings()
    assert ok, findings
    assert any(f["what"] == "engines" and f["state"] == "ok" for f in findings)
    assert any(f["found"] == "1 connect, 1 web, 2 worker" for f in findings), findings
    audit = deployment.run("audit", "--json")
    assert json.loads(audit.stdout)["problems"] == []
    assert audit.returncode == 0

    for process in (workers[0], connect, web, workers[1]):
        assert process.stop(signal.SIGTERM) == 0, process.out
        assert "everything accepted is safe" in process.out
    after = deployment.run("audit")
    assert after.returncode == 0, after.stdout
    assert "101 events" in after.stdout


def test_thresholds_changed_on_the_web_hold_in_the_worker(deployment, client):
    web, worker = deployment.start("web"), deployment.start("worker")
    for process in (web, worker):
        wait_until_ready(process.address)
    screens = client(web)
    answer = screens.put("/api/v1/settings/thresholds", json={"set": ["delay.threshold_s=7"]})
    assert answer.status_code == 200, answer.text
    until(lambda: figure(worker, "weir_thresholds_version") == 1)
    late = message(1) | {"sent_at": int(time.time() * 1000) - 20_000}
    assert screens.post("/api/v1/events", json=[late]).status_code == 202
    until(lambda: [a["kind"] for a in screens.get("/api/v1/anomalies").json()["items"]] == ["delay"])


def test_without_workers_events_are_taken_and_the_monitor_says_that_nothing_is_processed(deployment, client):
    web, worker = deployment.start("web"), deployment.start("worker")
    for process in (web, worker):
        wait_until_ready(process.address)
    screens = client(web)
    assert screens.post("/api/v1/events", json=[message(1)]).status_code == 202
    until(lambda: stored(screens) == 1)
    until(lambda: screens.get("/api/v1/monitor").json()["state"] == "live")
    worker.stop(signal.SIGKILL)
    events = [message(n) for n in range(2, 52)]
    assert screens.post("/api/v1/events", json=events).json()["accepted"] == 50
    until(lambda: screens.get("/api/v1/monitor").json()["state"] == "no_data")
    snapshot = screens.get("/api/v1/monitor").json()
    assert {beat["part"] for beat in snapshot["monitor"]["heartbeats"] if not beat["ok"]} == {"engine", "persister"}
    assert snapshot["monitor"]["accepted"] > snapshot["monitor"]["processed"]
    assert snapshot["monitor"]["oldest_unprocessed_ms"] > 0
    assert httpx.get(f"{web.address}/readyz", trust_env=False).status_code == 200
    ok, findings = deployment.findings()
    assert not ok
    assert any(f["what"] == "engines" and "weir worker" not in f["found"] for f in findings if f["state"] == "broken")

    second = deployment.start("worker")
    wait_until_ready(second.address)
    until(lambda: stored(screens) == 51)
    until(lambda: screens.get("/api/v1/monitor").json()["state"] == "live")


def test_one_process_on_services_does_everything_beside_a_worker(deployment, client):
    both = deployment.start("serve")
    wait_until_ready(both.address)
    worker = deployment.start("worker")
    wait_until_ready(worker.address)
    http = client(both)
    assert http.post("/api/v1/events", json=[message(n) for n in range(90)]).status_code == 202
    until(lambda: stored(http) == 90)
    for process in (worker, both):
        assert process.stop(signal.SIGTERM) == 0, process.out
    assert deployment.run("audit").returncode == 0


def test_the_doctor_says_what_is_broken_and_how_to_mend_it(deployment):
    ok, findings = deployment.findings()
    assert ok
    assert any(f["what"] == "topic" and "first process" in f["mend"] for f in findings)
    worker = deployment.start("worker")
    wait_until_ready(worker.address)
    deployment.write(partitions=PARTITIONS + 1)
    ok, findings = deployment.findings()
    assert not ok
    assert any(f["what"] == "partitions" and f"set partitions to {PARTITIONS}" in f["mend"] for f in findings)
    away = {
        "broker": "kafka://127.0.0.1:1",
        "redis": "redis://:hush@127.0.0.1:1",
        "database": "mongodb://a:hush@127.0.0.1:1",
    }
    deployment.write(**away)
    told = deployment.run("doctor", "--json").stdout
    assert "hush" not in told
    broken = {f["what"] for f in json.loads(told)["findings"] if f["state"] == "broken"}
    assert broken == {"kafka", "redis", "mongodb"}


def test_a_log_in_kafka_goes_with_a_database_in_a_file_in_one_process(deployment, client, data_dir):
    deployment.settings |= {"database": "embedded", "redis": "embedded", "data_dir": str(data_dir)}
    deployment.write()
    for command in ("worker", "web", "connect"):
        refused = deployment.run(command)
        assert refused.returncode == 1
        assert "set database, redis to a service" in refused.stderr
    alone = deployment.start("serve")
    wait_until_ready(alone.address)
    http = client(alone)
    assert http.post("/api/v1/events", json=[message(n) for n in range(20)]).status_code == 202
    until(lambda: stored(http) == 20)
    assert alone.stop(signal.SIGTERM) == 0, alone.out
    assert deployment.run("audit").returncode == 0


def test_a_channels_events_are_worked_on_in_one_partition(deployment):
    """The clients of this test rely on it: nine shops are in several partitions."""
    del deployment
    assert len({partition_of("ebay", f"shop-{n}", PARTITIONS) for n in range(9)}) > 1
