"""Apache Kafka for the tests: brokers in KRaft mode from the artifacts that the project publishes for Maven."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from tests.services import cache, ports, proxy
from tests.services.netns import Host
from tests.services.server import POLL_S, START_TIMEOUT_S, Server, StartError, listens, own_folder

Answer = TypeVar("Answer")
VERSION = "4.3.1"
HERE = Path(__file__).resolve().parent
POM = HERE / "kafka.pom.xml"
HASHES = HERE / "kafka.sha256"
CLASSES = "classes.jsa"
ARCHIVE_TIMEOUT_S = 120
LOGGING = HERE / "kafka.log4j2.properties"

QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Comes up in half the time and serves a test's handful of messages as fast."""

SERVED = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20")
"""For measuring: slower to come up, faster once warm."""


def prepare() -> Path:
    """The folder of Kafka's jars, fetched when missing and checked; raises cache.UnavailableError.

    One start and stop then leaves the classes there as the JVM wants them: that halves the time of every later start.
    """
    folder = cache.HOME / f"kafka-{VERSION}"
    if shutil.which("java") is None:
        raise cache.UnavailableError("Kafka needs Java 17 or newer: `apt-get install default-jre-headless`")
    with cache.locked("kafka"):
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            goal = "dependency:copy-dependencies"
            cache.install(["mvn", "-B", "-q", "-C", goal, "-f", POM, f"-DoutputDirectory={unfinished}"])
            _check(unfinished)
            unfinished.rename(folder)
        classes = folder / CLASSES
        if not classes.exists():
            made = classes.with_suffix(".part")
            with _serving(folder, 1, (*QUICK, f"-XX:ArchiveClassesAtExit={made}")) as kafka:
                kafka.brokers[1].stop(ARCHIVE_TIMEOUT_S)
            if made.exists():
                made.rename(classes)
    return folder


def _check(folder: Path) -> None:
    wanted = dict(reversed(line.split()) for line in HASHES.read_text().splitlines())
    for name, digest in wanted.items():
        jar = folder / name
        if not jar.exists() or hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise cache.UnavailableError(f"Kafka: {name} is missing or not the file whose hash is in {HASHES.name}")
    if strange := {path.name for path in folder.iterdir()} - wanted.keys():
        raise cache.UnavailableError(f"Kafka: no hashes in {HASHES.name} for {', '.join(sorted(strange))}")


@dataclass(frozen=True)
class Place:
    """Where one broker lives and how it is reached."""

    number: int
    host: str
    client: int
    controller: int
    behind: int
    """The port for clients that come through the proxy."""
    proxy: int
    """The proxy's own port on 127.0.0.1."""
    inside: Host | None

    @property
    def bootstrap(self) -> str:
        """Host and port for clients."""
        return f"{self.host}:{self.client}"

    @property
    def voter(self) -> str:
        """How the others know it."""
        return f"{self.number}@{self.host}:{self.controller}"

    def settings(self) -> dict[str, object]:
        """A client is told the address of the listener it came by: through the proxy once, through it always."""
        listeners = {"BROKER": self.client, "PROXIED": self.behind, "CONTROLLER": self.controller}
        return {
            "node.id": self.number,
            "listeners": ",".join(f"{name}://{self.host}:{port}" for name, port in listeners.items()),
            "advertised.listeners": f"BROKER://{self.bootstrap},PROXIED://127.0.0.1:{self.proxy}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        }


class Broker(Server):
    """One broker that is a controller too."""

    def __init__(self, place: Place, voters: list[str], jars: Path, folder: Path, java: tuple[str, ...]) -> None:
        self.number = place.number
        self.place = place
        self.bootstrap = place.bootstrap
        self.data = folder / f"broker-{place.number}"
        self.settings = folder / f"broker-{place.number}.properties"
        lines = _settings(voters) | place.settings() | {"log.dirs": self.data}
        self.settings.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self._java = ["java", *java, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", f"{jars}/*"]
        command = [*self._java, "kafka.Kafka", self.settings]
        super().__init__(f"kafka-{place.number}", command, folder, place.inside)

    def format(self, cluster: str) -> subprocess.Popen[bytes]:
        """Begin to lay out the data folder."""
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self.settings)]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def answers(self) -> bool:
        """Whether the cluster counts on this broker, in this broker's own words."""
        return listens(self.place.host, self.place.client) and self.number in brokers_seen(self.bootstrap)


class Proxied:
    """Proxies by number of broker, and the addresses for clients that go through them."""

    def __init__(self, proxies: dict[int, proxy.Proxy]) -> None:
        self.proxies = proxies
        self.bootstrap = ",".join(each.address for each in proxies.values())
        self.url = f"kafka://{self.bootstrap}"

    def cut(self) -> None:
        """Let nothing through to any broker."""
        for each in self.proxies.values():
            each.cut()

    def heal(self) -> None:
        """Let everything through again."""
        for each in self.proxies.values():
            each.heal()


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

    def seen(self) -> str:
        """For a message: the brokers that count as alive and the partitions out of step, as each broker sees them."""
        return "; ".join(
            f"broker {number}: {_ask(broker.bootstrap, _described) or 'no answer'}"
            for number, broker in self.brokers.items()
        )

    @contextmanager
    def proxied(self) -> Iterator[Proxied]:
        """A way to the brokers that can be cut, for clients that are given its url."""
        with ExitStack() as stack:
            places = [broker.place for broker in self.brokers.values()]
            yield Proxied(
                {
                    place.number: stack.enter_context(proxy.running(place.host, place.behind, at=place.proxy))
                    for place in places
                }
            )

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
    inside: Sequence[Host] = (),
) -> Iterator[Kafka]:
    """Kafka for the length of the block; its data lies in a temporary folder under `parent`.

    Several brokers replicate everything; a write then needs two of three. `inside`: a host for each broker.
    """
    jars = prepare()
    options = (f"-Xmx{heap_mb}m", f"-Xms{heap_mb // 4}m", *java)
    if java == QUICK:
        options += (f"-XX:SharedArchiveFile={jars / CLASSES}",)
    with _serving(jars, brokers, options, parent, inside) as kafka:
        yield kafka


@contextmanager
def _serving(
    jars: Path, brokers: int, java: tuple[str, ...], parent: Path | None = None, inside: Sequence[Host] = ()
) -> Iterator[Kafka]:
    places = [_place(number, inside) for number in range(1, brokers + 1)]
    voters = [place.voter for place in places]
    with own_folder("kafka", parent) as folder:
        made = [Broker(place, voters, jars, folder, java) for place in places]
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


def _place(number: int, inside: Sequence[Host]) -> Place:
    host = inside[number - 1] if inside else None
    client, controller, behind, proxy = ports.free(4)
    return Place(number, host.address if host else "127.0.0.1", client, controller, behind, proxy, host)


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


def _described(cluster: ClusterMetadata) -> str:
    alive = sorted(node.nodeId for node in cluster.brokers())
    return f"alive {alive}, out of step {_out_of_step(cluster) or 'none'}"


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
