"""One real process: starts, tells its address and first password, stops cleanly, goes on where it stopped."""

import json
import os
import signal
import socket
import time

import httpx
import pytest

from tests.weir.processes import ADDRESS, PASSWORD, PATIENCE_S, wait_until_ready
from tests.weir.processes import weir_command as weir


@pytest.fixture
def serve(start, data_dir):
    return lambda *more: start("serve", "--data-dir", data_dir, "--port", 0, "--log-format", "json", *more)


def client_of(process, data_dir):
    secret = weir("token", "create", "test", "--role", "admin", "--data-dir", data_dir).stdout.strip()
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.Client(base_url=process.find(ADDRESS).group(), headers=headers, trust_env=False, timeout=30)


def message(number):
    sent = int(time.time() * 1000)
    base = {"type": "message", "platform": "ebay", "account": f"shop-{number % 3}", "conversation": f"c{number % 7}"}
    return base | {"message": f"m{number}", "sent_at": sent, "direction": "in", "text": f"text {number}"}


def test_what_was_accepted_survives_a_kill_and_is_found_after_the_restart(serve, data_dir):
    first = serve()
    with client_of(first, data_dir) as client:
        for batch in range(20):
            events = [message(50 * batch + n) for n in range(50)]
            assert client.post("/api/v1/events", json=events).json() == {"accepted": 50, "rejected": []}
    first.stop(signal.SIGKILL)
    second = serve()
    with client_of(second, data_dir) as client:
        end = time.monotonic() + PATIENCE_S
        while client.get("/api/v1/stats").json()["ledger"]["stored"] < 1000 and time.monotonic() < end:
            time.sleep(0.05)
        ledger = client.get("/api/v1/stats").json()["ledger"]
    assert (ledger["accepted"], ledger["stored"], ledger["duplicates"]) == (1000, 1000, 0)
    beside = weir("audit", "--data-dir", data_dir, "--json")
    assert json.loads(beside.stdout)["problems"] == []
    assert second.stop() == 0
    after = weir("audit", "--data-dir", data_dir)
    assert after.returncode == 0
    assert "1,000 events" in after.stdout


def test_the_first_start_tells_a_password_once_and_the_second_goes_on(serve, data_dir):
    first = serve()
    password = first.find(PASSWORD).group(1)
    address = first.find(ADDRESS).group()
    answer = httpx.post(f"{address}/auth/login", json={"name": "admin", "password": password}, trust_env=False)
    assert answer.status_code == 200
    page = httpx.get(address, cookies=answer.cookies, trust_env=False)
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert first.stop(signal.SIGTERM) == 0
    assert "everything accepted is safe" in first.out
    second = serve()
    address = second.find(ADDRESS).group()
    wait_until_ready(address)
    assert "password" not in second.out
    assert weir("doctor", "--data-dir", data_dir, "--port", address.rpartition(":")[2]).returncode == 0
    assert second.stop() == 0


def test_a_taken_port_and_a_taken_folder_are_said_in_one_line(start, serve, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("serve", "--data-dir", tmp_path / "other", "--port", taken.getsockname()[1])
        assert process.popen.wait(PATIENCE_S) == 1
        assert "choose another with --host or --port" in process.out
        assert "Traceback" not in process.out
    first = serve()
    first.find(ADDRESS)
    process = serve()
    assert process.popen.wait(PATIENCE_S) == 1
    assert "another process uses the log" in process.out
    assert "Traceback" not in process.out


def test_the_demo_shows_where_and_how_to_log_in_and_traffic_flows(start, data_dir):
    demo = start("demo", "--data-dir", data_dir, "--port", 0)
    address, password = demo.find(ADDRESS).group(), demo.find(PASSWORD).group(1)
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        assert client.post("/auth/login", json={"name": "admin", "password": password}).status_code == 200
        end = time.monotonic() + PATIENCE_S
        while not client.get("/api/v1/anomalies").json()["items"] and time.monotonic() < end:
            time.sleep(0.1)
        assert client.get("/api/v1/anomalies").json()["items"]
        (asia, _) = client.get("/api/v1/teams").json()["items"]
        assert {"shopee/*", "lazada/*"} <= set(asia["channels"])
        templates = client.get("/api/v1/templates").json()["items"]
        gone = templates.pop()
        assert client.delete(f"/api/v1/templates/{gone['id']}").status_code == 200
    assert demo.stop() == 0
    again = start("demo", "--data-dir", data_dir, "--port", 0)
    fresh = again.find(PASSWORD).group(1)
    assert fresh != password
    with httpx.Client(base_url=again.find(ADDRESS).group(), trust_env=False, timeout=30) as client:
        assert client.post("/auth/login", json={"name": "mei", "password": fresh}).status_code == 200
        # what somebody deleted does not come back
        assert len(client.get("/api/v1/templates").json()["items"]) == len(templates)
    assert again.stop() == 0
    assert weir("audit", "--data-dir", data_dir).returncode == 0


def test_a_second_interrupt_ends_a_stop_that_hangs(serve):
    process = serve()
    process.find(ADDRESS)
    os.kill(process.popen.pid, signal.SIGINT)
    os.kill(process.popen.pid, signal.SIGINT)
    assert process.popen.wait(PATIENCE_S) in {0, 130}
