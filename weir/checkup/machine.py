"""The settings and the machine Weir runs on."""

import shutil
import socket
import urllib.error
import urllib.request

import msgspec

from actors.times import rfc3339
from weir.checkup.finding import Finding
from weir.config import ADDRESSES, EMBEDDED, Config, shown_value, unknown_variables

GIB = 2**30
LITTLE_SPACE, TOO_LITTLE_SPACE = 5 * GIB, GIB // 4
EARLIEST_MS = 1_735_689_600_000
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def examine(config: Config, now: int) -> list[Finding]:
    """What can be said without asking anybody; `now` in ms."""
    own = [_disk(config), _port(config)] if config.keeps_files else []
    return [*_settings(config), *own, _clock(now)]


def _settings(config: Config) -> list[Finding]:
    parts = [f"{name} {shown_value(name, getattr(config, name))}" for name in ADDRESSES]
    findings = [Finding("settings", "ok", f"all values fit: {', '.join(parts)}")]
    mend = "mend its spelling or remove it"
    findings += [Finding("settings", "warning", f"{name} means nothing", mend) for name in unknown_variables()]
    if not config.clustered and config.broker != EMBEDDED and config.database == EMBEDDED:
        found = "the log is shared but the database is this process's own: run one process only"
        findings.append(Finding("settings", "warning", found, "set database to mongodb://… to run several"))
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


def _clock(now: int) -> Finding:
    if now < EARLIEST_MS:
        mend = "mend this machine's time service: delays are measured against its clock"
        return Finding("clock", "broken", f"this machine's clock says {rfc3339(now)}", mend)
    return Finding("clock", "ok", f"{rfc3339(now)}")
