"""Cables between hosts that can be pulled: network namespaces, and brokers behind proxies."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.services import redis as redis_service

pytestmark = pytest.mark.services

ASK = """
import sys
from tests.services.server import ask
sys.exit(0 if ask(sys.argv[1], int(sys.argv[2]), b"PING\\r\\n").startswith(b"+PONG") else 1)
"""


def reaches(host, server) -> bool:
    """Whether a process on that host is answered by the server within a second."""
    command = host.command([sys.executable, "-c", ASK, server.host, server.port])
    return subprocess.run(command, cwd=Path(__file__).resolve().parents[2], check=False).returncode == 0


def test_a_host_whose_cable_is_pulled_is_cut_off_until_it_is_plugged_in_again(network, redis_server):
    assert redis_server.alive  # Redis is to be had here, or this test is skipped
    serving, asking, bystander = network.host(), network.host(), network.host()
    with redis_service.running(inside=serving) as server:
        assert reaches(asking, server)
        asking.cut()
        assert not reaches(asking, server)
        assert reaches(bystander, server)
        asking.heal()
        assert reaches(asking, server)


def test_two_hosts_can_lose_each_other_alone(network, redis_server):
    assert redis_server.alive
    serving, asking, bystander = network.host(), network.host(), network.host()
    with redis_service.running(inside=serving) as server:
        assert reaches(asking, server)
        asking.cut(serving)
        assert not reaches(asking, server)
        assert reaches(bystander, server)
        asking.heal(serving)
        assert reaches(asking, server)


def test_a_pulled_cable_is_silent_and_an_open_connection_goes_on_afterwards(network, redis_server):
    assert redis_server.alive
    serving = network.host()
    with redis_service.running(inside=serving) as server:
        quick = Redis(host=server.host, port=server.port, socket_timeout=0.3, retry=Retry(NoBackoff(), 0))
        patient = Redis(host=server.host, port=server.port, socket_timeout=30)
        with quick, patient:
            assert quick.incr("count") == 1
            assert patient.incr("count") == 2
            serving.cut()
            with pytest.raises(RedisError):
                quick.incr("count")
            serving.heal()
            assert patient.incr("count") in (3, 4)  # what was under way may have arrived late


def test_a_host_has_its_own_loopback_and_the_process_its_own_id(network):
    host = network.host()
    with subprocess.Popen(host.command(["sleep", "60"])) as process:
        try:
            deadline = time.monotonic() + 10
            while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            process.kill()
    said = subprocess.run(host.command(["ip", "addr"]), capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"inet (\S+)/", said)) == {"127.0.0.1", host.address}


KILLED_PROGRAM = """
import time
from tests.services import netns
with netns.network() as network:
    print(network.host().name, network.name, flush=True)
    time.sleep(300)
"""


@pytest.mark.usefixtures("namespaces")
def test_no_namespace_outlives_tests_that_are_killed():
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_PROGRAM],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        host, bridge = tests.stdout.readline().split()
        assert Path(f"/sys/class/net/{bridge}").exists()
        tests.kill()
    deadline = time.monotonic() + 20
    while Path(f"/sys/class/net/{bridge}").exists() or Path(f"/run/netns/{host}").exists():
        assert time.monotonic() < deadline, "the network is still there"
        time.sleep(0.02)


async def test_clients_given_the_proxied_address_stay_behind_the_proxy(kafka):
    topic = "behind-a-proxy"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()

    with kafka.proxied() as way:
        far = AIOKafkaProducer(bootstrap_servers=way.bootstrap, acks="all")
        near = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        async with far, near:
            await far.send_and_wait(topic, b"one")
            assert (await near.getone()).value == b"one"
            way.cut()
            held = asyncio.ensure_future(await far.send(topic, b"two"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(near.getone(), 1)
            way.heal()
            await held
            assert (await near.getone()).value == b"two"
