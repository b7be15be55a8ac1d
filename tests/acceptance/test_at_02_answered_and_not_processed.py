"""AT-02: webhooks are answered 200 while nobody processes them."""

import base64
import json
import secrets
import time

import httpx
import pytest

from tests.acceptance.deployment import Deployment, Shop, emulated, until
from tests.weir.processes import PATIENCE_S, Process, wait_until_ready, weir_command

pytestmark = pytest.mark.services
COUNT = 50


@pytest.fixture
def start(tmp_path, kafka, mongo, redis_server):
    """Starts processes of one deployment on services."""
    name = f"acceptance-{time.time_ns()}"
    settings = {
        "broker": kafka.url,
        "database": mongo.fresh(),
        "redis": f"{redis_server.url}/15",
        "kafka_topic": name,
        "kafka_group": name,
        "partitions": 4,
        "port": 0,
        "worker_port": 0,
        "log_format": "json",
        "secret_key": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    file = tmp_path / "weir.toml"
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
    processes = []

    def run(role):
        processes.append(Process([role, "--config", file], tmp_path / f"{role}.txt"))
        return processes[-1]

    run.file = file
    yield run
    for process in processes:
        process.popen.kill()
        process.popen.wait(PATIENCE_S)


@pytest.fixture
def shop(start, tmp_path):
    """A shop of a deployment whose web has no worker yet."""
    web = start("web")
    wait_until_ready(web.address)
    secret = weir_command("token", "create", "test", "--role", "admin", "--config", start.file).stdout.strip()
    asked = {"base_url": web.address, "headers": {"Authorization": f"Bearer {secret}"}}
    with (
        emulated(tmp_path / "emulator.txt", "--platform", "whatsapp") as emulator,
        httpx.Client(trust_env=False, timeout=30, **asked) as weir,
    ):
        deployment = Deployment(weir, emulator)
        shop = Shop(deployment, deployment.told()[0])
        shop.bind()
        yield shop


def test_what_was_answered_is_told_of_as_unprocessed_and_stored_once_when_somebody_works_again(shop, start):
    """QUEUE and the red tile are the monitor's state `no_data` with what was accepted, processed and waits since when.

    Every delivery is answered 200 meanwhile. With a worker all fifty are stored, each once. That they waited in Weir's
    own queue is one trouble and was told as that; it makes no fifty delays of the platform's.
    """
    weir = shop.deployment.weir
    written = shop.says("{n}", times=COUNT)
    until(shop.delivered, shop.deliveries)
    assert [[one["status"] for one in delivery["attempts"]] for delivery in shop.deliveries("done")] == [[200]] * COUNT

    def monitor():
        return weir.get("/api/v1/monitor").raise_for_status().json()

    def stands():
        told = monitor()
        waiting = told["monitor"]["accepted"] - told["monitor"]["processed"]
        return told["monitor"] if told["state"] == "no_data" and waiting >= COUNT else None

    told = until(stands, monitor)
    assert told["oldest_unprocessed_ms"] > 0
    assert {beat["part"] for beat in told["heartbeats"] if not beat["ok"]} == {"engine", "persister"}
    assert weir.get("/readyz").status_code == 200
    assert shop.rows() == []

    worker = start("worker")
    wait_until_ready(worker.address)
    until(lambda: shop.has(*(one["id"] for one in written)), shop.ledger, PATIENCE_S)
    until(lambda: monitor()["state"] == "live", monitor, PATIENCE_S)
    assert len(shop.rows()) == COUNT
    assert (shop.anomalies("loss"), shop.anomalies("delay")) == ([], [])
    until(shop.balances, shop.ledger)
