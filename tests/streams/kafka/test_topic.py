from __future__ import annotations

import asyncio
import secrets

import pytest
from aiokafka.admin import NewTopic

from actors.errors import ConfigurationError
from streams.kafka.connection import KafkaSecurity, servers_of
from streams.kafka.log import RECORD_BYTES, KafkaLog
from tests.streams.kafka.conftest import new_log

pytestmark = pytest.mark.services


async def facts(log):
    async with log.admin() as admin:
        [topic] = await admin.describe_topics([log.topic])
        return len(topic["partitions"]), len(topic["partitions"][0]["replicas"]), await log.settings(admin)


async def test_the_topic_is_made_to_fit(kafka):
    log = new_log(kafka.url, partitions=3, retention_ms=86_400_000)
    await log.open()
    partitions, copies, settings = await facts(log)
    assert (partitions, copies) == (3, 1)
    assert settings["retention.ms"] == "86400000"
    assert settings["max.message.bytes"] == str(RECORD_BYTES)
    assert settings["min.insync.replicas"] == "1"
    await log.open()


async def test_several_may_make_it_at_the_same_time(kafka):
    name = f"t-{secrets.token_hex(6)}"
    logs = [KafkaLog(kafka.url, partitions=2, topic=name, group=name) for _ in range(4)]
    await asyncio.gather(*(log.open() for log in logs))
    assert (await facts(logs[0]))[0] == 2


async def test_three_brokers_keep_three_copies_and_confirm_two(kafka_cluster):
    log = new_log(kafka_cluster.url)
    await log.open()
    _, copies, settings = await facts(log)
    assert (copies, settings["min.insync.replicas"]) == (3, "2")


async def test_more_copies_than_brokers_is_a_wrong_setting(kafka):
    with pytest.raises(ConfigurationError, match="could not be made: InvalidReplicationFactor"):
        await new_log(kafka.url, replication=3).open()


async def test_another_number_of_partitions_is_a_wrong_setting(kafka, kafka_log):
    with pytest.raises(ConfigurationError, match="has 4 partitions: set that, not 8"):
        await KafkaLog(kafka.url, partitions=8, topic=kafka_log.topic, group="g").open()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"cleanup.policy": "compact"}, "must not be compacted"),
        ({"max.message.bytes": "100000"}, "max.message.bytes of"),
    ],
)
async def test_a_topic_that_would_lose_or_refuse_records_is_refused(kafka, settings, reason):
    log = new_log(kafka.url)
    async with log.admin() as admin:
        await admin.create_topics([NewTopic(log.topic, 4, 1, topic_configs=settings)])
    with pytest.raises(ConfigurationError, match=reason):
        await log.open()


def test_addresses_without_a_port_get_kafkas():
    assert servers_of("kafka://a,b:19092,[::1],[::1]:1") == ["a:9092", "b:19092", "[::1]:9092", "[::1]:1"]
    for wrong in ("kafka://", "http://a:1", "a:9092"):
        with pytest.raises(ConfigurationError, match="write it like"):
            servers_of(wrong)


def test_a_password_is_never_shown(tmp_path):
    security = KafkaSecurity(protocol="sasl_ssl", user="weir", password="hunter2", ca=str(tmp_path / "no.pem"))
    assert "hunter2" not in f"{security!r} {security}"
    assert KafkaSecurity().options() == {"security_protocol": "PLAINTEXT"}
    with pytest.raises(ConfigurationError, match="check kafka_ca"):
        security.options()
