"""The command line: what it says, to whom, and with which exit code."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from weir.cli import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def weir():
    """Runs `weir` in this process: (exit code, standard output, standard error)."""

    def run(*arguments, stdin=None):
        result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="weir")
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def in_folder(data_dir):
    return ("--data-dir", data_dir)


@pytest.fixture
def trace(weir, tmp_path):
    path = tmp_path / "trace.ndjson"
    assert weir("simulate", "--messages", 300, "--seed", 3, "-o", path)[0] == 0
    return path


def test_without_arguments_help_is_printed(weir):
    code, out, _ = weir()
    assert code == 0
    for command in ("demo", "serve", "replay", "simulate", "audit", "doctor", "user", "token"):
        assert command in out


def test_help_does_not_load_the_whole_product():
    script = "import sys; from weir.cli import app; sys.exit(bool({'nicegui', 'faust', 'fastapi'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_an_unknown_command_is_an_error_on_standard_error(weir):
    code, out, err = weir("nonsense")
    assert code == 2
    assert out == ""
    assert "nonsense" in err


def test_a_wrong_setting_is_named_without_a_stack(weir, in_folder):
    code, out, err = weir("serve", *in_folder, "--broker", "kafka://user:hush@broker:9092")
    assert code == 1
    assert out == ""
    assert err.startswith("weir: setting broker")
    assert "hush" not in err
    assert "Traceback" not in err


def test_an_absent_data_folder_is_named(weir, tmp_path):
    for command in (("audit",), ("user", "list"), ("token", "list")):
        code, _, err = weir(*command, "--data-dir", tmp_path / "none")
        assert code == 1
        assert "none" in err
        assert not (tmp_path / "none").exists()


def test_people_are_added_listed_changed_and_disabled(weir, in_folder, data_dir):
    code, out, _ = weir("user", "add", "ann", "--role", "admin", "--random", "--json", *in_folder)
    assert code == 0
    assert len(json.loads(out)["password"]) > 20
    assert weir("user", "add", "bob", "--password-stdin", *in_folder, stdin="correct horse battery\n")[0] == 0
    assert weir("user", "role", "bob", "supervisor", *in_folder)[0] == 0
    assert weir("user", "disable", "bob", *in_folder)[0] == 0
    assert weir("user", "passwd", "bob", "--random", *in_folder)[0] == 0
    people = json.loads(weir("user", "list", "--json", *in_folder)[1])
    assert [(p["name"], p["role"], p["disabled"]) for p in people] == [
        ("ann", "admin", False),
        ("bob", "supervisor", True),
    ]
    assert stat.S_IMODE((data_dir / "store.db").stat().st_mode) == 0o600


def test_what_cannot_be_changed_is_explained(weir, in_folder):
    weir("user", "add", "ann", "--role", "admin", "--random", *in_folder)
    for command, reason in (
        (("user", "role", "ann", "agent"), "last admin"),
        (("user", "role", "nobody", "agent"), "no user"),
        (("user", "add", "ann", "--random"), "already"),
        (("user", "add", "bob", "--role", "king", "--random"), "king"),
        (("token", "revoke", "x"), "no token"),
    ):
        code, _, err = weir(*command, *in_folder)
        assert code == 1
        assert reason in err


def test_tokens_are_shown_once(weir, in_folder):
    code, out, _ = weir("token", "create", "feed", "--role", "supervisor", "--days", 3, *in_folder)
    secret = out.strip()
    assert code == 0
    assert secret.startswith("weir_")
    listed = weir("token", "list", "--json", *in_folder)[1]
    assert secret not in listed
    [token] = json.loads(listed)
    assert weir("token", "revoke", token["id"], *in_folder)[0] == 0
    assert json.loads(weir("token", "list", "--json", *in_folder)[1])[0]["revoked_at"]


def test_a_simulated_trace_replayed_scores_fully(weir, trace, tmp_path):
    report = tmp_path / "report.json"
    code, out, _ = weir("replay", trace, "--report", report)
    assert code == 0
    assert "ledger" in out
    code, out, _ = weir("score", report, trace.with_suffix(".truth.json"), "--least", 1, "--json")
    assert code == 0
    assert json.loads(out)["perfect"]


def test_a_replay_gives_the_same_bytes_with_any_number_of_partitions(weir, trace):
    once = weir("replay", trace, "--report", "-")
    assert once == weir("replay", trace, "--report", "-", "--partitions", 5)
    assert json.loads(once[1])["ledger"]["accepted"] > 300


def test_a_replay_reads_standard_input(weir, trace):
    command = [sys.executable, "-m", "weir", "replay", "-", "--json"]
    piped = subprocess.run(command, cwd=ROOT, input=trace.read_bytes(), capture_output=True, check=True)
    assert piped.stdout.decode() == weir("replay", trace, "--json")[1]


def test_a_replay_takes_thresholds_and_policies(weir, trace, tmp_path):
    plain = json.loads(weir("replay", trace, "--json")[1])
    strict = json.loads(weir("replay", trace, "--json", "--set", "delay.threshold_s=0.5")[1])
    assert len(strict["anomalies"]) > len(plain["anomalies"])
    policy = tmp_path / "policy.json"
    policy.write_text('[{"name": "quick", "first_response_min": 1}]')
    quick = json.loads(weir("replay", trace, "--json", "--policy", policy)[1])
    assert sum(row["breached_at"] is not None for row in quick["sla"]) > sum(
        row["breached_at"] is not None for row in plain["sla"]
    )
    assert weir("replay", trace, "--json", "--policy", "presets")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("replay", "absent.ndjson"), "absent.ndjson"),
        (("replay", "absent.ndjson", "--set", "nonsense=1"), "nonsense"),
        (("replay", "absent.ndjson", "--set", "delay.threshold_s"), "assignment"),
        (("replay", "absent.ndjson", "--policy", "absent.json"), "absent.json"),
        (("score", "absent.json", "absent.json"), "absent.json"),
        (("simulate", "--profile", "wild"), "wild"),
        (("simulate", "--faults", "bad=1"), "bad"),
    ],
)
def test_what_is_wrong_with_a_trace_command_is_said(weir, arguments, reason):
    code, out, err = weir(*arguments)
    assert code == 1
    assert out == ""
    assert reason in err
    assert "Traceback" not in err


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(weir, in_folder, monkeypatch):
    monkeypatch.setenv("WEIR_PROT", "1")
    code, out, _ = weir("doctor", *in_folder, "--json")
    findings = json.loads(out)["findings"]
    assert code == 0
    assert any("WEIR_PROT" in finding["found"] for finding in findings)
    assert any(finding["what"] == "data folder" and "serve" in finding["mend"] for finding in findings)
