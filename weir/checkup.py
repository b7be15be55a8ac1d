"""What `weir doctor` looks at: each check gives findings that say what is wrong and how to mend it."""

import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Literal

import msgspec
from msgspec import Struct

from actors.errors import RejectedError, WeirError
from actors.times import rfc3339
from services.thresholds import checked_overrides
from storage.sqlite import SqliteStore
from weir.config import Config, unknown_variables
from weir.log_view import LogView

GIB = 2**30
LITTLE_SPACE, TOO_LITTLE_SPACE = 5 * GIB, GIB // 4
DAY_MS = 86_400_000
SOON_MS = 7 * DAY_MS
CLOCK_SLACK_MS = 5_000
EARLIEST_MS = 1_735_689_600_000
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Finding(Struct, frozen=True):
    """One thing looked at: `what`, how it is, and `mend`, what to do when it is not well."""

    what: str
    state: Literal["ok", "warning", "broken"]
    found: str
    mend: str = ""


async def examine(config: Config, now: int) -> AsyncIterator[Finding]:
    """Every check, in order; `now` in ms."""
    for finding in (*_settings(config), _disk(config), _port(config)):
        yield finding
    if not (config.data / "store.db").exists():
        found = f"{config.data_dir} holds no Weir yet"
        yield Finding("data folder", "warning", found, "start `weir serve` once, or name another with --data-dir")
        return
    for finding in await _log(config, now):
        yield finding
    async for finding in _store(config, now):
        yield finding


def _settings(config: Config) -> list[Finding]:
    findings = [Finding("settings", "ok", "all values fit; log, database and bus are the built-in ones")]
    mend = "mend its spelling or remove it"
    findings += [Finding("settings", "warning", f"{name} means nothing", mend) for name in unknown_variables()]
    if config.host not in LOOPBACK and not config.secure_cookies:
        found = f"Weir listens on {config.host} and sends session cookies over plain HTTP too"
        findings.append(Finding("cookies", "warning", found, "put HTTPS in front and set secure_cookies"))
    return findings


def _disk(config: Config) -> Finding:
    place = next(path for path in (config.data.absolute(), *config.data.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at {place}"
    if free < TOO_LITTLE_SPACE:
        return Finding("disk", "broken", found, "free some space: with a full disk events are refused")
    if free < LITTLE_SPACE:
        return Finding("disk", "warning", found, "free some space, or lower retention_days")
    return Finding("disk", "ok", found)


def _port(config: Config) -> Finding:
    host = "127.0.0.1" if config.host in ("0.0.0.0", "::") else config.host  # noqa: S104 # compared, not bound
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(2)
        if probe.connect_ex((host, config.port)) != 0:
            return Finding("port", "ok", f"{host}:{config.port} is free")
    address = f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 # a fixed scheme
            told = answer.read(10_000)
    except urllib.error.HTTPError as refusal:
        told = refusal.read(10_000)
    except OSError as wrong:
        found = f"something answers on {address} but does not speak HTTP ({wrong})"
        return Finding("port", "broken", found, "stop it, or choose another with --port")
    return _readiness(address, told)


def _readiness(address: str, told: bytes) -> Finding:
    try:
        answer = msgspec.json.decode(told, type=dict[str, msgspec.Raw | str | int | list[str]])
    except msgspec.DecodeError:
        answer = {}
    if answer.get("status") == "ready":
        return Finding("running", "ok", f"Weir answers on {address} and is ready")
    reasons = answer.get("reasons")
    if isinstance(reasons, list):
        return Finding("running", "broken", "; ".join(map(str, reasons)), "look at Weir's log")
    found = f"another program answers on {address}"
    return Finding("port", "broken", found, "stop it, or choose another with --port")


async def _log(config: Config, now: int) -> list[Finding]:
    log = LogView(config.data / "log.db")
    try:
        problems = await log.problems()
        positions = await log.positions()
        newest = 0
        for position in positions:
            async for record in log.records(position.partition, max(position.start, position.end - 1)):
                newest = max(newest, record.wall)
    except WeirError as wrong:
        return [Finding("log", "broken", str(wrong), "see the message")]
    finally:
        await log.close()
    waiting = sum(position.end - position.committed for position in positions)
    found = f"{len(positions)} partitions, {sum(p.end - p.start for p in positions)} records, {waiting} waiting"
    findings = [Finding("log", "broken", problem, "run `weir audit`") for problem in problems]
    findings = findings or [Finding("log", "ok", found)]
    if len(positions) != config.partitions:
        mend = f"set partitions to {len(positions)}: it is fixed once a data folder exists"
        findings.append(Finding("partitions", "broken", f"the log has {len(positions)}, not {config.partitions}", mend))
    return [*findings, _clock(now, newest)]


def _clock(now: int, newest: int) -> Finding:
    mend = "mend this machine's time service: delays are measured against its clock"
    if now < EARLIEST_MS:
        return Finding("clock", "broken", f"this machine's clock says {rfc3339(now)}", mend)
    if newest > now + CLOCK_SLACK_MS:
        found = f"the clock says {rfc3339(now)} but the log has been written at {rfc3339(newest)}"
        return Finding("clock", "broken", found, mend)
    return Finding("clock", "ok", f"{rfc3339(now)}")


async def _store(config: Config, now: int) -> AsyncIterator[Finding]:
    store = SqliteStore(config.data / "store.db")
    try:
        await store.open()
    except WeirError as wrong:
        yield Finding("database", "broken", str(wrong), "see the message")
        return
    try:
        problems = await store.check()
        for problem in problems:
            yield Finding("database", "broken", problem, "see the message")
        if not problems:
            yield Finding("database", "ok", f"{config.data / 'store.db'} is sound")
        yield await _people(store)
        yield await _thresholds(store)
        for finding in await _letters_and_channels(store, now):
            yield finding
    finally:
        await store.close()


async def _people(store: SqliteStore) -> Finding:
    admins = [user.name for user in await store.users() if user.role == "admin" and not user.disabled]
    if admins:
        return Finding("people", "ok", f"admin: {', '.join(admins)}")
    return Finding("people", "broken", "nobody may administer Weir", "run `weir user add NAME --role admin`")


async def _thresholds(store: SqliteStore) -> Finding:
    version = await store.thresholds()
    if version is None:
        return Finding("thresholds", "ok", "the defaults")
    try:
        checked_overrides(version.overrides)
    except RejectedError as wrong:
        return Finding("thresholds", "broken", str(wrong), "bring an earlier version into force on the thresholds page")
    return Finding("thresholds", "ok", f"version {version.version} by {version.who}")


async def _letters_and_channels(store: SqliteStore, now: int) -> list[Finding]:
    findings: list[Finding] = []
    letters = [letter for letter in (await store.dead_letters(500)).items if letter.resolved_at is None]
    if letters:
        found = f"{len(letters)} entries could not be applied; the latest: {letters[0].reason}"
        findings.append(Finding("dead letters", "warning", found, "look at them on the settings page"))
    channels = await store.channels()
    for channel in channels:
        if channel.auth_status in ("expired", "revoked"):
            mend = "re-authorise it at the platform"
            findings.append(Finding(f"channel {channel.key}", "broken", f"authorisation {channel.auth_status}", mend))
        elif channel.auth_expires_at is not None and channel.auth_expires_at - now < SOON_MS:
            found = f"authorisation ends {rfc3339(channel.auth_expires_at)}"
            findings.append(Finding(f"channel {channel.key}", "warning", found, "renew it before then"))
    if not any(finding.what.startswith("channel ") for finding in findings):
        findings.append(Finding("channels", "ok", f"{len(channels)} channels, none without authorisation"))
    return findings
