"""`weir channel test`, `authorise`, `unset` and `template`, and what the doctor says of channels."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.contract.calling import DeniedError, UnreachableError
from connectors.contract.history import Probe
from connectors.registry import BY_PLATFORM
from tests.services_layer.harbour import KINDS, Harbour, Port, granted
from weir.cli import app
from weir.commands.bound import bindings_of
from weir.config import load_config
from weir.parts.store import opened_store
from weir.wiring import opened

ROOT = Path(__file__).resolve().parents[2]
URL = "https://weir.example.com/webhooks/harbour/pier%2F1"
ADD = ("channel", "add", "harbour", "pier/1", "--url", URL, "--set", "app_id=1", "--secret-stdin", "app_secret")
PATIENCE_S = 240


@pytest.fixture(autouse=True)
def port(monkeypatch):
    for name, kind in KINDS.items():
        monkeypatch.setitem(BY_PLATFORM, name, kind)
    monkeypatch.setattr(Harbour, "port", Port())
    return Harbour.port


@pytest.fixture
def weir(data_dir):
    """Runs `weir` on one data folder: (exit code, standard output, standard error)."""

    def run(*arguments, stdin=None, folder=True):
        told = [*arguments, *(("--data-dir", data_dir) if folder else ())]
        result = CliRunner().invoke(app, [str(a) for a in told], input=stdin, prog_name="weir")
        assert "hush" not in result.output
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def bound(weir, data_dir):
    async def once():
        async with opened(load_config({"data_dir": str(data_dir)})):
            pass

    asyncio.run(once())  # the log and the store are there
    assert weir(*ADD, "--set", "note=mine", stdin="hush-app\n")[0] == 0


@pytest.fixture
def authorised(bound, data_dir):
    """Grants the channel so much."""
    assert bound is None

    def grant(**fields):
        config = load_config({"data_dir": str(data_dir)})

        async def work():
            async with opened_store(config, create=False) as store:
                bindings = bindings_of(store, config)
                _, connector = await bindings.current("harbour", "pier/1")
                await bindings.granted("ann", connector, granted(1, **fields), "channel.authorised")

        asyncio.run(work())

    return grant


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize(
    ("answer", "code", "state", "told"),
    [
        (Probe(subscription="active"), 0, "ok", "webhooks are sent to us"),
        (Probe(subscription="disabled", detail="after slow answers"), 1, "ok", "NOT sent"),
        (Probe(lacking=("write",)), 1, "ok", "permissions lack: write"),
        (Probe(auth="expired"), 1, "denied", "authorise the channel again"),
        (DeniedError("token hush-app is gone"), 1, "denied", "is gone"),
        (UnreachableError("no route"), 1, "unasked", "no route"),
    ],
)
def test_a_channel_is_tested_at_its_platform(weir, port, answer, code, state, told):
    port.probes = answer
    found, out, _ = weir("channel", "test", "harbour", "pier/1")
    assert (found, told in out) == (code, True)
    found, out, _ = weir("channel", "test", "harbour", "pier/1", "--json")
    assert (found, json.loads(out)["state"]) == (code, state)


def test_what_nobody_bound_is_not_tested(weir, bound):
    assert bound is None
    for command in (("test", "harbour", "x"), ("authorise", "harbour", "x"), ("unset", "harbour", "x", "note")):
        code, _, err = weir("channel", *command)
        assert (code, "weir channel list" in err) == (1, True)


@pytest.mark.usefixtures("bound")
def test_the_address_to_authorise_at_is_weirs_own(weir):
    place = "/api/v1/bindings/harbour/pier%2F1/authorise"
    assert weir("channel", "authorise", "harbour", "pier/1")[1].strip() == f"https://weir.example.com{place}"
    told = weir("channel", "authorise", "harbour", "pier/1", "--origin", "http://localhost:8000/")[1].strip()
    assert told == f"http://localhost:8000{place}"
    code, _, err = weir("channel", "authorise", "harbour", "pier/1", "--origin", "weir")
    assert (code, "--origin" in err) == (1, True)


@pytest.mark.usefixtures("bound")
def test_an_optional_setting_is_taken_away(weir):
    assert json.loads(weir("channel", "list", "--json")[1])[0]["settings"] == ["app_id", "note"]
    assert "taken away" in weir("channel", "unset", "harbour", "pier/1", "note")[1]
    assert json.loads(weir("channel", "list", "--json")[1])[0]["settings"] == ["app_id"]
    assert "was not set" in weir("channel", "unset", "harbour", "pier/1", "note")[1]
    code, _, err = weir("channel", "unset", "harbour", "pier/1", "app_secret")
    assert (code, "note" in err) == (1, True)


def findings(weir, *options):
    code, out, err = weir("doctor", "--json", *options)
    assert err == ""
    told = [one for one in json.loads(out)["findings"] if one["what"].startswith("channel harbour")]
    return code, [(one["state"], one["found"], one["mend"]) for one in told]


@pytest.mark.usefixtures("bound")
def test_the_doctor_says_that_a_channel_is_well(weir, authorised, port):
    authorised(expires_at=4_000_000_000_000)
    _, [(state, found, _)] = findings(weir)
    assert state == "ok"
    assert "2096" in found
    assert port.asked == []


def test_the_doctor_says_what_a_channel_lacks(weir, authorised):
    authorised(scopes=frozenset({"read"}))
    _, [(state, found, mend)] = findings(weir)
    assert (state, "write" in found, "authorise" in mend) == ("warning", True, True)


def test_the_doctor_says_that_an_authorisation_has_run_out(weir, authorised):
    authorised(expires_at=1_700_000_000_000)
    code, [(state, found, mend)] = findings(weir)
    assert (code, state, "2023" in found, "authorise" in mend) == (1, "broken", True, True)


@pytest.mark.usefixtures("bound")
def test_the_doctor_says_that_secrets_cannot_be_opened(weir, data_dir):
    (data_dir / "secrets.key").unlink()
    code, [(state, found, _)] = findings(weir)
    assert (code, state, "which is not here" in found) == (1, "broken", True)


@pytest.mark.usefixtures("bound")
def test_the_doctor_asks_the_platform_when_it_may(weir, port):
    port.probes = DeniedError("gone: hush-app")
    code, [(state, found, _)] = findings(weir, "--online")
    assert (code, state, "gone" in found) == (1, "broken", True)
    port.probes = UnreachableError("no route")
    _, [(state, found, _)] = findings(weir, "--online")
    assert (state, "no route" in found) == ("warning", True)
    port.probes = Probe(subscription="active")
    assert findings(weir, "--online")[1][0][0] == "ok"


@pytest.fixture
def tree(tmp_path):
    """What a connector's tests need of Weir's sources, so that nothing is written into them."""
    shutil.copytree(ROOT / "connectors", tmp_path / "connectors", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "connectors").mkdir(parents=True)
    for name in ("mutations.py", "scripted_api.py"):
        shutil.copy(ROOT / "tests" / "connectors" / name, tmp_path / "tests" / "connectors" / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def test_what_the_template_writes_passes_its_own_test_and_the_style(weir, tree):
    code, out, _ = weir("channel", "template", "odd_market", "--dir", tree, "--json", folder=False)
    assert code == 0
    written = [Path(path) for path in json.loads(out)["files"]]
    assert [path.relative_to(tree).as_posix() for path in written] == [
        "connectors/odd_market.py",
        "tests/connectors/payloads/odd_market/message.json",
        "tests/connectors/test_odd_market.py",
    ]
    asked = ("-p", "no:cacheprovider", "-q", "-o", f"pythonpath={tree} {ROOT}")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *asked, written[2]],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout
    for check in (("check", "--ignore", "I001"), ("format", "--check")):  # the order of imports depends on the name
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *check, *written[::2]], cwd=tree, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_template_overwrites_nothing_and_wants_a_name_that_is_free(weir, tree):
    assert weir("channel", "template", "odd", "--dir", tree, folder=False)[0] == 0
    module = tree / "connectors" / "odd.py"
    module.write_text("mine")
    for name, told in (
        ("odd", "there already"),
        ("shopee", "there is a connector"),
        ("Odd", "lower-case"),
        ("if", "l"),
    ):
        code, _, err = weir("channel", "template", name, "--dir", tree, folder=False)
        assert (code, told in err) == (1, True)
    assert module.read_text() == "mine"
