"""`weir channel`: what it binds, what it tells, and that a secret is seen nowhere."""

import asyncio
import base64
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.registry import BY_PLATFORM
from services.people.permissions import Caller
from tests.services_layer.platforms import PLATFORMS
from weir.cli import app
from weir.config import load_config
from weir.wiring import opened

ROOT = Path(__file__).resolve().parents[2]
URL = "https://weir.example.com/webhooks/bazaar/shop"
KEY, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
ADD = ("channel", "add", "bazaar", "shop", "--url", URL, "--set", "app_key=key=1")
PATIENCE_S = 120
WITH_PLATFORMS = (
    "from connectors.registry import BY_PLATFORM; from tests.services_layer.platforms import PLATFORMS;"
    " BY_PLATFORM.update(PLATFORMS); from weir.cli import main; main()"
)


@pytest.fixture(autouse=True)
def _platforms_of_the_tests(monkeypatch):
    for name, kind in PLATFORMS.items():
        monkeypatch.setitem(BY_PLATFORM, name, kind)


@pytest.fixture
def weir():
    """Runs `weir` in this process: (exit code, standard output, standard error)."""

    def run(*arguments, stdin=None):
        result = CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="weir")
        assert "hush" not in result.output
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def in_folder(data_dir):
    return ("--data-dir", data_dir)


@pytest.fixture
def held(data_dir):
    """What the connector of a channel is given, in a process that is the whole product."""

    def look(account="shop", platform="bazaar"):
        async def find():
            async with opened(load_config({"data_dir": str(data_dir)})) as process:
                connector = await process.services.bindings.connector(platform, account)
                return connector and connector.binding

        return asyncio.run(find())

    return look


def test_a_channel_is_bound_listed_changed_and_removed(weir, in_folder, held, data_dir):
    assert weir(*ADD, "--secret-stdin", "app_secret", *in_folder, stdin="hush-1\n")[0] == 0
    assert held().settings == {"app_key": "key=1", "app_secret": "hush-1"}
    assert held().url == URL
    code, out, _ = weir("channel", "list", "--json", *in_folder)
    [listed] = json.loads(out)
    assert code == 0
    assert (listed["settings"], listed["secrets"], listed["trouble"]) == (["app_key"], ["app_secret"], None)
    assert "key=1" not in out
    secrets = ("--secret-stdin", "app_secret", "--secret-stdin", "token")
    assert weir(*ADD, "--set", "region=SG", *secrets, *in_folder, stdin="hush-2\r\nhush-3\n")[0] == 0
    assert held().settings == {"app_key": "key=1", "region": "SG", "app_secret": "hush-2", "token": "hush-3"}
    table = weir("channel", "list", *in_folder)[1]
    assert "app_secret token" in table
    assert stat.S_IMODE((data_dir / "secrets.key").stat().st_mode) == 0o600
    assert b"hush" not in b"".join(path.read_bytes() for path in data_dir.iterdir())
    assert weir("channel", "remove", "bazaar", "shop", *in_folder)[0] == 0
    assert json.loads(weir("channel", "list", "--json", *in_folder)[1]) == []
    assert held() is None


def test_a_secret_of_several_lines_is_piped_in_whole(weir, in_folder, held):
    pem = "-----BEGIN KEY-----\nhush\n-----END KEY-----"
    assert weir(*ADD, "--secret-stdin", "app_secret", *in_folder, stdin=pem + "\n")[0] == 0
    assert held().settings["app_secret"] == pem


def test_what_cannot_be_bound_is_explained_before_anything_is_asked(weir, in_folder, data_dir):
    piped = ("--secret-stdin", "app_secret")
    for arguments, reason in (
        (("channel", "add", "bazar", "shop", "--url", URL, "--secret", "x"), "bazaar"),
        ((*ADD, "--set", "app_secret=hush-1"), "--secret app_secret"),
        ((*ADD, "--secret", "app_secret=hush-1"), "app_secret"),
        ((*ADD, "--secret", "app_key"), "app_secret, token"),
        ((*ADD, *piped, *piped), "twice"),
        ((*ADD, "--set", "region", *piped), "NAME=VALUE"),
        ((*ADD, "--set", "reigon=SG", *piped), "reigon"),
        ((*ADD, "--secret", "app_secret"), "--secret-stdin app_secret"),
        (ADD, "app_secret"),
        (("channel", "remove", "bazaar", "shop"), "weir channel list"),
    ):
        code, out, err = weir(*arguments, *in_folder, stdin="hush-1\n")
        assert (code, out) == (1, "")
        assert reason in err
        assert "Traceback" not in err
    assert not (data_dir / "secrets.key").exists()


def test_a_secret_that_is_asked_for_is_not_shown_while_it_is_typed(in_folder, held):
    master, slave = pty.openpty()
    command = [sys.executable, "-c", WITH_PLATFORMS, *ADD, "--secret", "app_secret", *map(str, in_folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as asked:
        os.close(slave)
        shown = b""
        while b"app_secret: " not in shown:
            shown += os.read(master, 1024)
        os.write(master, b"hush-typed\n")
        while True:
            try:
                shown += os.read(master, 1024)
            except OSError:  # the other side is closed
                break
        assert asked.wait(PATIENCE_S) == 0
    os.close(master)
    assert b"hush" not in shown
    assert b"is bound" in shown
    assert held().settings["app_secret"] == "hush-typed"


def test_platforms_tell_what_they_want(weir):
    listed = {one["platform"]: one["settings"] for one in json.loads(weir("channel", "platforms", "--json")[1])}
    assert [(one["name"], one["secret"], one["required"]) for one in listed["bazaar"]] == [
        ("app_key", False, True),
        ("region", False, False),
        ("app_secret", True, True),
        ("token", True, False),
    ]
    assert listed["plain"] == []
    table = weir("channel", "platforms")[1]
    assert "Signs every webhook." in table
    assert "plain" in table


def test_a_new_key_of_the_file_seals_everything_and_the_old_one_is_no_longer_needed(weir, in_folder, held, data_dir):
    weir(*ADD, "--secret-stdin", "app_secret", *in_folder, stdin="hush-1\n")
    [before] = json.loads(weir("channel", "list", "--json", *in_folder)[1])
    code, out, _ = weir("channel", "reseal", "--new-key", "--json", *in_folder)
    assert (code, json.loads(out)) == (0, {"done": ["bazaar/shop"], "failed": {}, "contacts": 0, "contacts_left": 0})
    file = data_dir / "secrets.key"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    [after] = json.loads(weir("channel", "list", "--json", *in_folder)[1])
    assert before["key"] != after["key"]
    assert held().settings["app_secret"] == "hush-1"


def test_a_key_of_the_environment_is_rotated_through_the_older_ones(weir, in_folder, held, monkeypatch, data_dir):
    monkeypatch.setenv("WEIR_SECRET_KEY", KEY)
    weir(*ADD, "--secret-stdin", "app_secret", *in_folder, stdin="hush-1\n")
    assert not (data_dir / "secrets.key").exists()
    monkeypatch.setenv("WEIR_SECRET_KEY", OTHER)
    code, out, _ = weir("channel", "reseal", *in_folder)
    assert code == 1
    assert "NOT SEALED: bazaar/shop" in out
    monkeypatch.setenv("WEIR_SECRET_KEY_OLD", KEY)
    assert weir("channel", "reseal", "--new-key", *in_folder)[0] == 1
    assert weir("channel", "reseal", *in_folder)[0] == 0
    monkeypatch.delenv("WEIR_SECRET_KEY_OLD")
    assert held().settings["app_secret"] == "hush-1"


def test_a_key_file_that_others_can_read_stops_the_start(weir, in_folder, held, data_dir):
    weir(*ADD, "--secret-stdin", "app_secret", *in_folder, stdin="hush-1\n")
    (data_dir / "secrets.key").chmod(0o644)
    for command in (("channel", "list"), ("serve", "--port", "0")):
        code, _, err = weir(*command, *in_folder)
        assert code == 1
        assert "chmod 600" in err
    (data_dir / "secrets.key").chmod(0o600)
    assert held() is not None


def test_keys_are_never_shown_with_the_settings():
    config = load_config({}, environ={"WEIR_SECRET_KEY": KEY, "WEIR_SECRET_KEY_OLD": f"{OTHER} {OTHER}"})
    assert config.secret_key_old.split() == [OTHER, OTHER]
    assert KEY not in repr(config)
    assert OTHER not in repr(config)


@pytest.mark.services
def test_processes_that_share_a_database_share_the_key_by_the_environment(weir, mongo, monkeypatch, tmp_path):
    for name, value in (("BROKER", "kafka://nobody:9092"), ("REDIS", "redis://nobody"), ("DATABASE", mongo.fresh())):
        monkeypatch.setenv(f"WEIR_{name}", value)
    folder = ("--data-dir", tmp_path / "none")
    piped = ("--secret-stdin", "app_secret", *folder)
    code, _, err = weir(*ADD, *piped, stdin="hush-1\n")
    assert code == 1
    assert "WEIR_SECRET_KEY" in err
    monkeypatch.setenv("WEIR_SECRET_KEY", KEY)
    assert weir(*ADD, *piped, stdin="hush-1\n")[0] == 0
    [listed] = json.loads(weir("channel", "list", "--json", *folder)[1])
    assert (listed["secrets"], listed["trouble"]) == (["app_secret"], None)
    assert weir("channel", "remove", "bazaar", "shop", *folder)[0] == 0
    assert not (tmp_path / "none").exists()


async def test_the_services_of_a_process_bind_channels(data_dir):
    async with opened(load_config({"data_dir": str(data_dir)})) as process:
        ann = Caller(name="ann", role="admin", via="session")
        await process.services.bindings.bind(ann, "plain", "shop", URL, {})
        assert (await process.services.bindings.connector("plain", "shop")).binding.account == "shop"
