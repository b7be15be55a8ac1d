"""Apache Kafka for the tests: brokers in KRaft mode from the artifacts that the project publishes for Maven."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from tests.services import cache, ports
from tests.services.server import POLL_S, START_TIMEOUT_S, Server, StartError, listens, own_folder

Answer = TypeVar("Answer")
VERSION = "4.3.1"
HERE = Path(__file__).resolve().parent
POM = HERE / "kafka.pom.xml"
HASHES = HERE / "kafka.sha256"
LOGGING = HERE / "kafka.log4j2.properties"

QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Comes up in half the time and serves a test's handful of messages as fast."""

SERVED = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20")
"""For measuring: slower to come up, faster once warm."""


def prepare() -> Path:
    """The folder of Kafka's jars, fetched when missing and checked; raises cache.UnavailableError."""
    folder = cache.HOME / f"kafka-{VERSION}"
    if shutil.which("java") is None:
        raise cache.UnavailableError("Kafka needs Java 17 or newer: `apt-get install default-jre-headless`")
    with cache.locked("kafka"):
        if not folder.exists():
            unfinished = folder.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            goal = "dependency:copy-dependencies"
            cache.install(["mvn", "-B", "-q", "-C", goal, "-f", POM, f"-DoutputDirectory={unfinished}"])
            _check(unfinished)
            unfinished.rename(folder)
    return folder


def _check(folder: Path) -> None:
    wanted = dict(reversed(line.split()) for line in HASHES.read_text().splitlines())
    for name, digest in wanted.items():
        jar = folder / name
        if not jar.exists() or hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise cache.UnavailableError(f"Kafka: {name} is missing or not the file whose hash is in {HASHES.name}")
    if strange := {path.name for path in folder.iterdir()} - wanted.keys():
        raise cache.UnavailableError(f"Kafka: no hashes in {HASHES.name} for {', '.join(sorted(strange))}")


class Broker(Server):
    """One broker that is a controller too."""

    def __init__(
        self, number: int, jars: Path, folder: Path, settings: dict[str, object], java: list[str], bootstrap: str
    ) -> None:
        self.number = number
        self.bootstrap = bootstrap
        self.data = folder / f"broker-{number}"
        self.settings = folder / f"broker-{number}.properties"
        lines = {**settings, "node.id": number, "log.dirs": self.data}
        self.settings.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._java = ["java", *java, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", f"{jars}/*"]
        super().__init__(f"kafka-{number}", [*self._java, "kafka.Kafka", self.settings], folder)

    def format(self, cluster: str) -> subprocess.Popen[bytes]:
        """Begin to lay out the data folder."""
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self.settings)]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def answers(self) -> bool:
        """Whether the cluster counts on this broker, in this broker's own words."""
        host, _, port = self.bootstrap.partition(":")
        return listens(host, int(port)) and self.number in brokers_seen(self.bootstrap)


class Kafka:
    """One broker or several. Brokers are numbered from 1; calls block, from coroutines use asyncio.to_thread."""

    def __init__(self, brokers: list[Broker]) -> None:
        self.brokers = {broker.number: broker for broker in brokers}
        self.bootstrap = ",".join(broker.bootstrap for broker in brokers)
        self.url = f"kafka://{self.bootstrap}"

    def start(self, number: int = 1) -> None:
        """Start a broker and wait until the cluster counts on it."""
        self.brokers[number].start()

    def kill(self, number: int = 1) -> None:
        """SIGKILL a broker."""
        self.brokers[number].kill()

    def pause(self, number: int = 1) -> None:
        """SIGSTOP a broker: its connections stay open, nothing is answered."""
        self.brokers[number].pause()

    def resume(self, number: int = 1) -> None:
        """SIGCONT a broker."""
        self.brokers[number].resume()

    def alive(self, number: int = 1) -> bool:
        """Whether a broker's process runs."""
        return self.brokers[number].alive

    def pid(self, number: int = 1) -> int:
        """The process id of a broker."""
        return self.brokers[number].pid

    def ensure(self) -> None:
        """Every broker running, answering and in step with the others, whatever a test did to them."""
        for broker in self.brokers.values():
            broker.resume()
            broker.launch()
        for broker in self.brokers.values():
            broker.wait()
        if len(self.brokers) > 1:
            self.wait_in_step()

    def leader(self, topic: str, partition: int = 0, timeout: float = START_TIMEOUT_S) -> int:
        """The number of the broker that leads a partition, waited for while there is none; raises StartError."""
        place = TopicPartition(topic, partition)
        deadline = time.monotonic() + timeout
        while (found := _ask(self.bootstrap, lambda cluster: cluster.leader_for_partition(place))) not in self.brokers:
            if time.monotonic() > deadline:
                raise StartError(f"Kafka: nobody leads {topic}/{partition} after {timeout:.0f} s")
            time.sleep(POLL_S)
        return found

    def wait_in_step(self, timeout: float = START_TIMEOUT_S) -> None:
        """Wait until every replica of every partition has caught up; raises StartError."""
        deadline = time.monotonic() + timeout
        while behind := _ask(self.bootstrap, _out_of_step):
            if time.monotonic() > deadline:
                raise StartError(f"Kafka: replicas still behind after {timeout:.0f} s: {behind}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End every broker."""
        for broker in self.brokers.values():
            broker.kill()


@contextmanager
def running(
    brokers: int = 1,
    *,
    heap_mb: int = 256,
    java: tuple[str, ...] = QUICK,
    parent: Path | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Kafka]:
    """Kafka for the length of the block; its data lies in a temporary folder under `parent`.

    Several brokers replicate everything; a write then needs two of three.
    """
    jars = prepare()
    with own_folder("kafka", parent) as folder:
        clients, controllers = ports.free(brokers), ports.free(brokers)
        numbers = range(1, brokers + 1)
        voters = [f"{number}@{host}:{port}" for number, port in zip(numbers, controllers, strict=True)]
        options = [f"-Xmx{heap_mb}m", f"-Xms{heap_mb // 4}m", *java]
        made = [
            Broker(
                number,
                jars,
                folder,
                _settings(voters) | {"listeners": f"BROKER://{host}:{client},CONTROLLER://{host}:{controller}"},
                options,
                f"{host}:{client}",
            )
            for number, client, controller in zip(numbers, clients, controllers, strict=True)
        ]
        kafka = Kafka(made)
        try:
            _format(made)
            for broker in made:
                broker.launch()
            for broker in made:
                broker.wait()
            yield kafka
        finally:
            kafka.stop()


def _format(brokers: list[Broker]) -> None:
    """Lay out all data folders at the same time."""
    cluster = base64.urlsafe_b64encode(b"\x40" + secrets.token_bytes(15)).decode().rstrip("=")
    for broker, process in [(broker, broker.format(cluster)) for broker in brokers]:
        if process.wait(START_TIMEOUT_S):
            raise StartError(f"{broker.name}: its data folder cannot be laid out:\n{broker.tail()}")


def _settings(voters: list[str]) -> dict[str, object]:
    copies = min(len(voters), 3)
    in_step = max(copies - 1, 1)
    return {
        "process.roles": "broker,controller",
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "BROKER",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_step,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_step,
        "transaction.state.log.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # A dead leader is replaced well within the ten seconds promised; a single broker is taken back sooner.
        "broker.session.timeout.ms": 4000 if copies > 1 else 2000,
        "broker.heartbeat.interval.ms": 400,
        "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,  # by default half the heap of a test's broker
        "num.network.threads": 2,
        "num.io.threads": 4,
    }


def brokers_seen(bootstrap: str) -> set[int]:
    """The numbers of the brokers that count as alive, as the broker at this address sees it; none without an answer."""
    return _ask(bootstrap, lambda cluster: {node.nodeId for node in cluster.brokers()}) or set()


def _out_of_step(cluster: ClusterMetadata) -> list[str]:
    """The partitions whose replicas are not all in step."""
    return [
        f"{topic}/{partition}"
        for topic, partitions in cluster._partitions.items()
        for partition, state in partitions.items()
        if set(state.isr) != set(state.replicas)
    ]


def _ask(bootstrap: str, question: Callable[[ClusterMetadata], Answer]) -> Answer | None:
    """Put a question to the cluster's metadata as read just now; None when no broker answers."""
    with ThreadPoolExecutor(max_workers=1) as apart:  # the caller may be in a running loop
        return apart.submit(lambda: asyncio.run(_metadata(bootstrap, question))).result()


async def _metadata(bootstrap: str, question: Callable[[ClusterMetadata], Answer]) -> Answer | None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await client.bootstrap()
        return question(await client.fetch_all_metadata())
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await client.close()
