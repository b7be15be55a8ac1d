"""The services that other tests rely on: real servers that answer, and come back with their data when killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from redis.asyncio import Redis

from tests.services import cache, ports
from tests.services import kafka as kafka_service

pytestmark = pytest.mark.services
ANSWER_S = 60
CONSUMERS = 3


async def create_topic(service: kafka_service.Kafka, name: str, copies: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=service.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=copies)])
    finally:
        await admin.close()


def producer_of(service: kafka_service.Kafka) -> AIOKafkaProducer:
    """A producer that gives up on a frozen broker sooner than after its usual 40 s."""
    return AIOKafkaProducer(
        bootstrap_servers=service.bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=2_000
    )


@asynccontextmanager
async def in_time(service: kafka_service.Kafka, what: str) -> AsyncIterator[None]:
    """A client that waits for a leader waits for ever: after a minute say what the cluster looks like."""
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except TimeoutError:
        pytest.fail(f"{what}: nothing after {ANSWER_S} s; {await asyncio.to_thread(service.seen)}")


async def produce(service: kafka_service.Kafka, topic: str, *values: bytes) -> None:
    async with in_time(service, f"producing to {topic}"), producer_of(service) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=1)


async def consume(service: kafka_service.Kafka, topic: str, count: int) -> list[bytes]:
    """By a consumer group. One that joins while coordinators move may wait for ever: then another begins anew."""
    for attempt in range(CONSUMERS):
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=service.bootstrap,
            group_id=f"{topic}-readers-{attempt}",
            auto_offset_reset="earliest",
            request_timeout_ms=12_000,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S / CONSUMERS), consumer:
                return [(await consumer.getone()).value for _ in range(count)]
    pytest.fail(f"reading {topic}: nothing after {ANSWER_S} s; {await asyncio.to_thread(service.seen)}")


async def test_a_broker_stores_records_and_serves_a_consumer_group(kafka):
    await create_topic(kafka, "plain")
    await produce(kafka, "plain", b"one", b"two")
    assert await consume(kafka, "plain", 2) == [b"one", b"two"]


async def test_a_killed_broker_comes_back_with_its_records(kafka):
    await create_topic(kafka, "kept")
    await produce(kafka, "kept", b"before")
    await asyncio.to_thread(kafka.kill)
    assert not kafka.alive()

    await asyncio.to_thread(kafka.start)
    await produce(kafka, "kept", b"after")
    assert await consume(kafka, "kept", 2) == [b"before", b"after"]


async def test_a_topic_that_nobody_created_is_not_made_by_a_producer(kafka):
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=500) as producer:
        with pytest.raises(Exception, match=r"UnknownTopicOrPartition|not found"):
            await producer.send_and_wait("never-created", b"lost")


async def test_two_of_three_brokers_take_writes_and_the_third_catches_up(kafka_cluster):
    await create_topic(kafka_cluster, "copied", copies=3)
    await produce(kafka_cluster, "copied", b"one")
    leader = await asyncio.to_thread(kafka_cluster.leader, "copied", 1)
    await asyncio.to_thread(kafka_cluster.wait_in_step)
    await asyncio.to_thread(kafka_cluster.kill, leader)

    await produce(kafka_cluster, "copied", b"two")
    assert await asyncio.to_thread(kafka_cluster.leader, "copied", 1) != leader
    await asyncio.to_thread(kafka_cluster.start, leader)
    await asyncio.to_thread(kafka_cluster.wait_in_step)
    assert await consume(kafka_cluster, "copied", 2) == [b"one", b"two"]


async def test_a_paused_broker_is_replaced_and_takes_part_again(kafka_cluster):
    await create_topic(kafka_cluster, "paused", copies=3)
    await produce(kafka_cluster, "paused", b"one")
    leader = await asyncio.to_thread(kafka_cluster.leader, "paused", 1)
    await asyncio.to_thread(kafka_cluster.wait_in_step)  # who is not in step cannot take over
    kafka_cluster.pause(leader)
    await produce(kafka_cluster, "paused", b"two")
    kafka_cluster.resume(leader)
    await asyncio.to_thread(kafka_cluster.wait_in_step)
    assert await consume(kafka_cluster, "paused", 2) == [b"one", b"two"]


async def test_redis_keeps_values_over_a_kill(redis_server):
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        await client.set("greeting", "你好")
        assert await client.get("greeting") == "你好"
    await asyncio.to_thread(redis_server.kill)
    await asyncio.to_thread(redis_server.start)
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        assert await client.get("greeting") == "你好"


async def test_a_paused_redis_goes_on_where_it_was(redis_server):
    async with Redis.from_url(redis_server.url) as client:
        redis_server.pause()
        answer = asyncio.create_task(client.incr("counter"))
        redis_server.resume()
        assert await answer == 1


async def test_the_database_keeps_documents_over_a_kill(mongo):
    async with AsyncMongoClient(mongo.fresh()) as client:
        documents = client.get_default_database()["messages"]
        await documents.insert_one({"_id": "m1", "text": "你好"})
        assert await documents.find_one({"_id": "m1"}) == {"_id": "m1", "text": "你好"}
        await asyncio.to_thread(mongo.kill)
        await asyncio.to_thread(mongo.start)
        assert await documents.find_one({"_id": "m1"}) == {"_id": "m1", "text": "你好"}


async def test_every_fresh_database_is_empty(mongo):
    async with AsyncMongoClient(mongo.fresh()) as one, AsyncMongoClient(mongo.fresh()) as other:
        await one.get_default_database()["messages"].insert_one({"_id": "m1"})
        assert await other.get_default_database()["messages"].find_one() is None


KILLED_PROGRAM = """
import time
from tests.services import redis
with redis.running() as server:
    print(server.pid, server.folder, flush=True)
    time.sleep(300)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_server_and_no_folder_outlive_tests_that_are_killed(redis_server, number):
    assert redis_server.alive  # Redis is to be had here, or this test is skipped
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_PROGRAM],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        pid, folder = tests.stdout.readline().split()
        tests.send_signal(number)
    deadline = time.monotonic() + 20
    while (Path("/proc") / pid).exists() or Path(folder).exists():
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.02)


def test_a_server_that_does_not_start_shows_its_log(redis_server, tmp_path):
    broken = type(redis_server)(Path(redis_server.command[0]), tmp_path)
    (tmp_path / "redis.conf").write_text("no-such-setting 1\n")
    with pytest.raises(RuntimeError, match="no-such-setting"):
        broken.start()


def test_a_missing_service_skips_a_test_and_fails_it_in_continuous_integration(start_service, monkeypatch):
    @contextmanager
    def missing():
        raise cache.UnavailableError("no network")
        yield

    monkeypatch.setattr(cache, "required", lambda: False)
    with pytest.raises(pytest.skip.Exception, match="NO KAFKA: no network"):
        start_service("kafka", missing())
    monkeypatch.setattr(cache, "required", lambda: True)
    with pytest.raises(pytest.fail.Exception, match="NO KAFKA: no network"):
        start_service("kafka", missing())


def test_two_test_runs_are_never_given_the_same_port():
    ours = ports.free(20)
    assert len(set(ours)) == 20
    work_tree = Path(__file__).resolve().parents[2]
    code = f"from tests.services import ports; print([port for port in {ours} if ports._reserve(port)])"
    other = subprocess.run(
        [sys.executable, "-c", code],
        cwd=work_tree,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == ("[]" if sys.platform == "linux" else str(ours))
