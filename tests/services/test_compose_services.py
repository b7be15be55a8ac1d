"""Kafka and Redis start with the very settings that compose.yaml gives them, as their images apply them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from redis import Redis

from tests.services import cache, ports
from tests.services import kafka as kafka_service
from tests.services import redis as redis_service
from tests.services.server import Server

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
LOGGING = "Configuration: {Loggers: {Root: {level: warn}, Logger: []}}\n"
PASSWORD = "abc123"


class ComposeBroker(Server):
    """A broker with the settings that the image's own set-up made of its variables."""

    def __init__(self, jars: Path, settings: Path, folder: Path, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        super().__init__("kafka", ["java", *kafka_service.QUICK, "-cp", f"{jars}/*", "kafka.Kafka", settings], folder)

    def answers(self) -> bool:
        return kafka_service.brokers_seen(self.bootstrap) == {1}


def test_the_broker_starts_with_the_variables_of_compose(kafka, tmp_path):
    assert kafka.alive()  # Kafka is to be had here, or this test is skipped
    jars = kafka_service.prepare()
    client, controller = ports.free(2)
    variables = {
        name: value.replace("9092", str(client)).replace("9093", str(controller)).replace("kafka:", "127.0.0.1:")
        for name, value in SERVICES["kafka"]["environment"].items()
    }
    data = tmp_path / "data"
    variables["KAFKA_LOG_DIRS"] = str(data)
    image, own, final = (tmp_path / name for name in ("image", "own", "final"))
    for folder in (image, own, final):
        folder.mkdir()
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (image / name).write_text(LOGGING)
    (image / "server.properties").touch()
    setup = [
        *("java", "-cp", f"{jars}/*", "kafka.docker.KafkaDockerWrapper", "setup"),
        *("--default-configs-dir", image, "--mounted-configs-dir", own, "--final-configs-dir", final),
    ]
    made = subprocess.run(setup, env=os.environ | variables, capture_output=True, text=True, check=False)  # noqa: TID251 # handed on
    assert made.returncode == 0, made.stdout + made.stderr

    broker = ComposeBroker(jars, final / "server.properties", tmp_path, f"127.0.0.1:{client}")
    try:
        broker.start()
    finally:
        broker.kill()
    assert any(data.iterdir())
    properties = (final / "server.properties").read_text()
    assert "auto.create.topics.enable=false" in properties
    assert "heap" not in properties


def test_redis_starts_with_the_command_of_compose_and_wants_the_password(redis_server, tmp_path):
    assert redis_server.alive
    service = SERVICES["redis"]
    *shell, script = service["command"]
    (port,) = ports.free()
    script = script.replace("$$", "$").replace("/tmp/", f"{tmp_path}/")  # noqa: S108 # the container's own
    script = script.replace("redis-server", str(redis_service.prepare())).rstrip() + f" --port {port} --dir {tmp_path}"

    class ComposeRedis(redis_service.RedisServer):
        """Redis with the container's command."""

        def __init__(self) -> None:
            super().__init__(Path(), tmp_path)
            self.port, self.command = port, ["env", f"REDISCLI_AUTH={PASSWORD}", *shell, script]

        def answers(self) -> bool:
            return re.match(rb"-NOAUTH", redis_service.ask(self.host, self.port, b"PING\r\n")) is not None

    redis = ComposeRedis()
    try:
        redis.start()
        with Redis(port=port, password=PASSWORD, decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert PASSWORD not in Path(f"/proc/{redis.pid}/cmdline").read_text()
    finally:
        redis.kill()


def test_the_brokers_of_tests_and_of_compose_are_of_one_version():
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka_service.VERSION}"
    assert f"<version>{kafka_service.VERSION}</version>" in kafka_service.POM.read_text()
    assert cache.HOME.name == "weir-services"
