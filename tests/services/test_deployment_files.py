"""The files that deploy Weir name only what exists: commands, settings, ports, paths and images' own rules."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from deploy import alive
from tests.services import ports
from weir.cli import app
from weir.config import FIELDS, PREFIX, Config, load_config

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service["image"]).startswith("weir:")}
ROLES = ("web", "connect", "worker")
PROXY = (ROOT / "deploy/compose/haproxy.cfg").read_text(encoding="utf-8")
KUBERNETES = [
    document
    for file in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
VARIABLES = {"MONGO_PASSWORD": "aa", "REDIS_PASSWORD": "bb", "MONGO_ROOT_PASSWORD": "cc"}
PLACEHOLDER = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled(text: str) -> str:
    """The text as Compose reads it when only the passwords are given."""
    return PLACEHOLDER.sub(lambda found: VARIABLES.get(found[1], found[3] if found[2] == "-" else ""), str(text))


def of_kind(kind: str) -> list[dict]:
    return [document for document in KUBERNETES if document["kind"] == kind]


def pod_of(role: str) -> dict:
    return next(d["spec"]["template"]["spec"] for d in of_kind("Deployment") if d["metadata"]["name"] == f"weir-{role}")


def default_port(role: str) -> int:
    return Config().worker_port if role == "worker" else Config().port


@pytest.mark.parametrize("name", OURS)
def test_compose_runs_commands_and_settings_that_weir_has(name):
    command, *arguments = OURS[name]["command"]
    assert command in get_command(app).commands
    assert arguments == []
    environment = {key: filled(value) for key, value in OURS[name]["environment"].items()}
    assert all(key.startswith(PREFIX) and key.removeprefix(PREFIX).lower() in FIELDS for key in environment)
    assert load_config(environ=environment).clustered


@pytest.mark.parametrize("name", ROLES)
def test_compose_starts_weir_only_on_healthy_services_and_gives_it_time_to_stop(name):
    service = OURS[name]
    assert {other: rule["condition"] for other, rule in service["depends_on"].items()} == dict.fromkeys(
        ("kafka", "mongo", "redis"), "service_healthy"
    )
    allowed = int(service["stop_grace_period"].removesuffix("s"))
    assert allowed > load_config(environ={key: filled(v) for key, v in service["environment"].items()}).shutdown_s


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_restarted_checked_limited_and_not_root(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if service.get("profiles") else "unless-stopped")
    own_user = service["image"].startswith(("apache/kafka:", "haproxy:"))
    assert own_user or service["user"] in ("10001:10001", "mongodb", "redis")
    assert name in OURS or service["healthcheck"]["test"]
    assert service.get("profiles") or service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert ":latest" not in filled(service["image"]) or name in OURS


def test_no_secret_stands_in_the_files():
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key or "AUTH" in key or ("://" in str(value) and "@" in str(value).partition("@")[1]):
                assert all(rule == "?" for name, rule, _ in PLACEHOLDER.findall(str(value)) if "PASSWORD" in name)
                assert "PASSWORD" in str(value)
    assert of_kind("Secret") == []
    example = (ROOT / "deploy/compose/example.env").read_text(encoding="utf-8")
    required = {name for name, rule, _ in PLACEHOLDER.findall((ROOT / "compose.yaml").read_text()) if rule == "?"}
    assert required == set(VARIABLES)
    assert all(re.search(rf"^{name}=$", example, re.MULTILINE) for name in required)
    asked = {name for name, _, _ in PLACEHOLDER.findall((ROOT / "compose.yaml").read_text())}
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) <= asked


def test_only_the_proxy_is_published_and_the_services_are_out_of_reach():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["front"]
    assert filled(SERVICES["front"]["ports"][0]).startswith("127.0.0.1:")
    assert COMPOSE["networks"]["back"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["back"] for name in ("kafka", "mongo", "redis"))


def test_every_volume_config_and_address_of_compose_exists():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"]
        for config in service.get("configs", []):
            assert (ROOT / COMPOSE["configs"][config["source"]]["file"]).is_file()
    settings = OURS["worker"]["environment"]
    hosts = [re.search(r"(?:@|//)([a-z]+):(\d+)", filled(settings[f"WEIR_{name}"])) for name in ("BROKER", "DATABASE")]
    assert [(found[1], found[2]) for found in hosts] == [("kafka", "9092"), ("mongo", "27017")]
    assert SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].endswith("://kafka:9092")


def test_the_proxy_sends_each_path_to_the_role_that_serves_it():
    connect = {path for path in paths_of("connect") if not path.startswith(("/healthz", "/readyz", "/metrics"))}
    routed = set(re.findall(r"use_backend connect if \{ path(?:_beg)? (\S+) \}", PROXY))
    assert {path.partition("{")[0] for path in connect} == routed
    hidden = re.search(r"deny_status 404 if \{ path ([^}]+)\}", PROXY)
    assert set(hidden[1].split()) == {"/healthz", "/readyz", "/metrics"}
    assert set(re.findall(r"server-template \w+ \d+ (\S+)", PROXY)) == {
        f"web:{Config().port}",
        f"connect:{Config().port}",
    }


def paths_of(role: str) -> set[str]:
    """The paths that a role serves, by its own list of routers."""
    assert role == "connect"
    from weir.roles.connect import ROUTES  # noqa: PLC0415 # takes long to import

    return {route.path for router in ROUTES for route in router.routes}


@pytest.mark.parametrize("role", ROLES)
def test_kubernetes_runs_commands_ports_and_probes_that_weir_has(role):
    pod = pod_of(role)
    (container,) = pod["containers"]
    assert container["args"] == [role]
    assert role in get_command(app).commands
    assert container["ports"] == [{"name": "http", "containerPort": default_port(role)}]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_kubernetes_sets_no_variable_that_is_no_setting():
    (settings,) = of_kind("ConfigMap")
    config = load_config(environ=settings["data"])
    assert all(name.removeprefix(PREFIX).lower() in FIELDS for name in settings["data"])
    for role in ROLES:
        pod = pod_of(role)
        assert pod["enableServiceLinks"] is False  # a service named weir would otherwise set WEIR_PORT
        assert pod["terminationGracePeriodSeconds"] > config.shutdown_s
    most = next(
        d["spec"]["maxReplicas"] for d in of_kind("HorizontalPodAutoscaler") if "worker" in d["metadata"]["name"]
    )
    assert most <= config.partitions


def test_every_selector_of_kubernetes_finds_its_pods():
    labels = {d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"] for d in of_kind("Deployment")}
    for document in of_kind("Service"):
        assert document["spec"]["selector"] == labels[document["metadata"]["name"]]
    for kind in ("Deployment", "PodDisruptionBudget"):
        for document in of_kind(kind):
            assert document["spec"]["selector"]["matchLabels"] == labels[document["metadata"]["name"]]
    for document in of_kind("HorizontalPodAutoscaler"):
        assert document["spec"]["scaleTargetRef"]["name"] in labels
    (list_of_files,) = of_kind("Kustomization")
    files = {path.name for path in (ROOT / "deploy/kubernetes").glob("*.yaml")}
    assert set(list_of_files["resources"]) == files - {"kustomization.yaml"}


def test_the_image_holds_every_package_of_the_project_and_sets_only_settings():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    copied = [
        source for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for source in line.split()
    ]
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied)
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    assert allowed == set(copied)
    assert all((ROOT / source).exists() for source in copied)
    variables = dict(re.findall(r"(WEIR_\w+)=(\S+)", text))
    assert load_config(environ=variables).host == "0.0.0.0"  # noqa: S104 # inside a container
    assert f"EXPOSE {Config().port} {Config().worker_port}\n" in text
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["10001:10001"]
    assert "://" not in text


class Healthy(BaseHTTPRequestHandler):
    """A process that says it is alive."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_health_check_of_the_image_tells_alive_from_dead(monkeypatch):
    assert (Config().port, Config().worker_port) == alive.PORTS
    dead, other = ports.free(2)
    monkeypatch.setattr(alive, "PORTS", (dead, other))
    assert alive.main() == 1
    with ThreadingHTTPServer(("127.0.0.1", other), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert alive.main() == 0
        server.shutdown()
        thread.join()


def test_the_health_check_needs_nothing_but_the_standard_library():
    done = subprocess.run([sys.executable, "-I", "-S", ROOT / "deploy/alive.py"], capture_output=True, check=False)
    assert done.returncode in (0, 1)
    assert done.stderr == b""
