"""The load test itself, short, against a real product of its own; and its report."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser

import msgspec
import pytest

from loadtest import report
from loadtest.outcome import Outcome

RUN = [sys.executable, "-m", "loadtest"]
PATIENCE_S = 280


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """A run of twelve seconds at a tenth of the usual load."""
    folder = tmp_path_factory.mktemp("loadtest")
    size = ["--minutes", "0.2", "--peak", "150", "--shops", "16", "--agents", "1", "--operators", "1"]
    done = subprocess.run(
        [*RUN, *size, "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (folder / "report.md").read_text("utf-8") in done.stdout
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Outcome)


def test_a_short_sale_passes_and_its_balance_holds(outcome):
    found = outcome.balance
    assert outcome.passed
    assert found.holds
    assert found.told_accepted > 300
    assert found.accepted == found.stored + found.duplicates + found.rejected


def test_what_was_injected_is_what_is_found(outcome):
    assert sum(kind["expected"] for kind in outcome.score["kinds"]) > 0
    assert outcome.score["perfect"], outcome.score


def test_webhooks_batches_pages_and_lists_were_served_without_a_failure(outcome):
    requests = {request.name: request for request in outcome.requests}
    assert {
        "POST events, webhook",
        "POST events, batch",
        "WS open /",
        "WS open /inbox",
        "WS open /api/v1/inbox/live",
        "GET page /",
        "GET /api/v1/inbox",
        "GET /api/v1/monitor",
    } <= set(requests)
    assert {name: request.failures for name, request in requests.items() if request.failures} == {}


def test_delays_are_measured_from_answer_to_screen(outcome):
    assert outcome.answer.count == outcome.load.posts
    assert outcome.shown.count > 0
    assert outcome.readable.count > 0


def test_the_use_of_the_server_is_measured(outcome):
    assert max(look.memory_mib for look in outcome.used) > 20
    assert max(look.cores for look in outcome.used) > 0


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, *_):
        self.tags.append(tag)


def test_a_report_says_the_same_to_people_and_machines(outcome, tmp_path):
    page = report.write(outcome, tmp_path)
    assert msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Outcome) == outcome
    assert f"{outcome.balance.stored:,}" in page.read_text("utf-8")
    assert f"{outcome.balance.stored:,}" in (tmp_path / "report.md").read_text("utf-8")


def test_a_report_names_what_failed_and_takes_no_markup_from_it(outcome):
    failed = msgspec.structs.replace(outcome, problems=["ebay/<script>x</script>: 3 events are missing"])
    assert not failed.passed
    assert "FAILED" in report.as_markdown(failed)
    assert "script" not in Page(report.as_html(failed)).tags


def test_a_token_is_asked_for_before_anything_starts():
    done = subprocess.run([*RUN, "--host", "http://127.0.0.1:9"], capture_output=True, text=True, check=False)
    assert (done.returncode, "--token-file" in done.stderr) == (2, True)


def test_a_deployment_that_does_not_answer_is_named(tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    target = ["--host", "http://127.0.0.1:9", "--token-file", str(token), "--out", str(tmp_path)]
    done = subprocess.run([*RUN, *target], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode != 0
    assert "nothing answers at http://127.0.0.1:9" in done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_nothing_but_the_locust_process_is_patched():
    modules = ["live", "load", "feed", "outcome", "report", "product", "deployment", "simulator", "__main__"]
    program = (
        f"import sys; [__import__(f'loadtest.{{m}}') for m in {json.dumps(modules)}]; print('gevent' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
