"""`weir emulate` as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import httpx
import pytest

PATIENCE_S = 60


def started(*flags, command="emulate"):
    whole = [sys.executable, "-m", "weir", command, "--port", "0", *flags]
    return subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.timeout(120)
def test_it_says_where_it_answers_keeps_what_it_holds_and_stops(tmp_path):
    held = 0
    for _ in range(2):
        flags = ["--rate", "0", "--platform", "line", "--data-dir", str(tmp_path), "--faults", "drop@line:0.5"]
        with started(*flags) as process:
            address = re.search(r"http://[0-9.:]+", process.stdout.readline())
            assert address is not None
            with httpx.Client(base_url=address.group(), trust_env=False, timeout=30) as client:
                state = client.get("/_emulator/state").json()
                assert [one["share"] for one in state["faults"]] == [0.5]
                assert state["shops"][0]["messages"] == held
                client.post("/_emulator/say", json={"shop": state["shops"][0]["key"], "times": 3}).raise_for_status()
            held += 3
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--platform", "myspace"], "myspace is not emulated"),
        (["--faults", "nonsense"], "fault 'nonsense'"),
        (["--shops", "0"], "shops: from 1"),
    ],
)
def test_what_cannot_be_emulated_is_said_in_a_line(flags, said):
    done = subprocess.run(
        [sys.executable, "-m", "weir", "emulate", "--port", "0", *flags],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(240)
def test_the_demo_has_emulated_platforms_that_go_on_at_its_next_start(tmp_path):
    held = 0
    for _ in range(2):
        with started("--data-dir", str(tmp_path), command="demo") as process:
            panel = None
            while panel is None:
                line = process.stdout.readline()
                assert line, "the demo has ended"
                panel = re.search(r"panel: (http://[0-9.:]+)", line)
            with httpx.Client(base_url=panel.group(1), trust_env=False, timeout=30) as client:
                shops = client.get("/_emulator/state").json()["shops"]
                (line_shop,) = [one for one in shops if one["platform"] == "line"]
                assert line_shop["webhook"].startswith("http://127.0.0.1")
                assert line_shop["messages"] >= held
                client.post("/_emulator/say", json={"shop": line_shop["key"], "times": 5}).raise_for_status()
                end = time.monotonic() + PATIENCE_S
                done = []
                while len(done) < 5 and time.monotonic() < end:
                    asked = {"shop": line_shop["key"], "state": "done"}
                    done = client.get("/_emulator/deliveries", params=asked).json()
                    time.sleep(0.1)
                assert len(done) >= 5
            held = line_shop["messages"] + 5
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
