"""Fixtures of the tests on a real Kafka: every test has a topic and a group of its own."""

from __future__ import annotations

import secrets

import pytest

from streams.kafka.gateway import KafkaGateway
from streams.kafka.log import KafkaLog
from tests.streams.kafka.client import Client
from tests.streams.kafka.fleet import Fleet

PARTITIONS = 4


def new_log(url, **options):
    name = f"t-{secrets.token_hex(6)}"
    return KafkaLog(url, **{"partitions": PARTITIONS, "topic": name, "group": name} | options)


@pytest.fixture
async def kafka_log(kafka):
    """An empty topic of four partitions."""
    log = new_log(kafka.url)
    await log.open()
    return log


@pytest.fixture
async def gateway(kafka_log):
    """A gateway over it."""
    opened = KafkaGateway(kafka_log)
    yield opened
    await opened.close()


@pytest.fixture
async def client(kafka_log):
    """Writes raw records, commits offsets, tells what is committed: a program that is not Weir."""
    opened = Client(kafka_log)
    yield opened
    await opened.close()


@pytest.fixture
async def fleet(kafka_log, gateway, data_dir):
    """Starts runtimes in this process that share one store; what still runs at the end is stopped."""
    opened = Fleet(kafka_log, gateway, data_dir)
    await opened.open()
    yield opened
    await opened.close()
