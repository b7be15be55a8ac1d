"""What the doctor makes of what the services and the processes say: each finding says how to mend it."""

import time

import pytest
from msgspec.structs import replace

from storage.mongodb.survey import MongoSurvey
from storage.records import ProcessBeat
from storage.sqlite import SqliteStore
from streams.kafka.survey import KafkaSurvey
from streams.redis.survey import RedisSurvey
from weir.checkup import kafka, mongodb, processes, redis
from weir.checkup.finding import clock
from weir.config import Config
from weir.parts.log import DAY_MS, kafka_log
from weir.version import VERSION

CONFIG = Config(broker="kafka://a:9092", partitions=6)
LOG = kafka_log(CONFIG)
TOPIC = KafkaSurvey(
    brokers=["a:9092", "b:9092", "c:9092"], partitions=6, copies=3, insync_least=2, retention_ms=30 * DAY_MS
)
MONGO = MongoSurvey(
    place="mongodb://a/weir",
    version="8.0.4",
    kind="replica set",
    members=3,
    writable=True,
    written="majority",
    journaled=True,
    prepared=True,
    missing=[],
    ahead_ms=3,
    took_ms=1,
)
REDIS = RedisSurvey(
    version="7.4.1", memory=2**20, most_memory=2**30, clients=9, policy="noeviction", ahead_ms=0, took_ms=1
)


def states(findings):
    return [finding.state for finding in findings]


def test_a_topic_with_three_copies_is_well():
    assert states([*kafka._topic(CONFIG, LOG, TOPIC), *kafka._copies(LOG, TOPIC)]) == ["ok", "ok"]


@pytest.mark.parametrize(
    ("change", "state", "mend"),
    [
        ({"partitions": 8}, "broken", "set partitions to 8"),
        ({"leaderless": [2, 3]}, "broken", "start the brokers"),
        ({"thin": [1]}, "warning", "caught up"),
        ({"copies": 1, "insync_least": 1}, "warning", "three copies"),
        ({"insync_least": 1}, "warning", "min.insync.replicas of weir-events to 2"),
        ({"insync_least": 3}, "warning", "min.insync.replicas of weir-events to 2"),
        ({"retention_ms": DAY_MS}, "warning", f"retention.ms to {30 * DAY_MS}"),
    ],
)
def test_what_is_wrong_with_a_topic_is_named(change, state, mend):
    found = replace(TOPIC, **change)
    findings = [f for f in (*kafka._topic(CONFIG, LOG, found), *kafka._copies(LOG, found)) if f.state != "ok"]
    assert states(findings) == [state]
    assert mend in findings[0].mend


@pytest.mark.parametrize(
    ("change", "state", "mend"),
    [
        ({}, None, ""),
        ({"writable": False}, "broken", "primary"),
        ({"version": "4.4.1"}, "broken", "MongoDB 6"),
        ({"kind": "single server"}, "warning", "replica set"),
        ({"kind": "stand-in", "version": "1.24"}, "warning", "MongoDB"),
        ({"written": "1"}, "warning", "majority"),
        ({"journaled": False}, "warning", "majority"),
        ({"prepared": False}, "warning", "first process"),
        ({"missing": ["x of y"]}, "warning", "anew"),
    ],
)
def test_what_is_wrong_with_a_database_is_named(change, state, mend):
    found = replace(MONGO, **change)
    findings = [f for f in (mongodb._server(found), mongodb._writes(found), mongodb._indexes(found)) if f.state != "ok"]
    assert states(findings) == ([state] if state else [])
    assert all(mend in finding.mend for finding in findings)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "ok"),
        ({"policy": "allkeys-lru"}, "warning"),
        ({"policy": "allkeys-lru", "most_memory": 0}, "ok"),
        ({"policy": None}, "ok"),
        ({"memory": 2**30}, "warning"),
    ],
)
def test_a_redis_that_may_forget_is_named(change, state):
    assert redis._memory(replace(REDIS, **change)).state == state


def test_clocks_that_differ_are_named():
    assert clock("redis", 1_500, 10).state == "ok"
    assert clock("redis", -9_000, 10).state == "warning"
    assert clock("redis", None, 10).state == "ok"


@pytest.fixture
async def store(data_dir):
    opened = SqliteStore(data_dir / "store.db")
    await opened.open()
    yield opened
    await opened.close()


class Town:
    """Processes that beat while the doctor looks."""

    def __init__(self, store):
        self.store = store
        self.alive = []

    async def told(self):
        now = time.time_ns() // 1_000_000
        for beat in self.alive:
            await self.store.beat(replace(beat, at=now - 500))

        async def beat_once_more():
            for beat in self.alive:
                await self.store.beat(replace(beat, at=beat.at or now + 1))

        return [finding async for finding in processes.examine(self.store, CONFIG, now, beat_once_more)]


def beat(process, partitions=(), *, at=0, version=VERSION, role="worker", **health):
    said = {"ready": True, **health}
    return ProcessBeat(
        process=process, role=role, at=at, started_at=0, version=version, partitions=list(partitions), health=said
    )


@pytest.fixture
def town(store):
    return Town(store)


async def test_processes_that_look_after_every_partition_are_well(town):
    town.alive = [beat("w1", [0, 1, 2]), beat("w2", [3, 4, 5]), beat("web", role="web")]
    findings = await town.told()
    assert states(findings) == ["ok", "ok"]
    assert findings[0].found == "1 web, 2 worker"


async def test_partitions_nobody_looks_after_are_broken(town):
    town.alive = [beat("w1", [0, 1, 2]), beat("w2", [3, 4, 5], ready=False)]
    [broken] = [f for f in await town.told() if f.state == "broken"]
    assert broken.found == "nobody looks after partitions 3, 4, 5"


async def test_what_a_process_suffers_from_is_told_with_its_name(town):
    town.alive = [beat("w1", range(6), troubles=["saving: the disk is full"])]
    [broken] = [f for f in await town.told() if f.state == "broken"]
    assert (broken.what, broken.found) == ("process w1", "saving: the disk is full")


async def test_versions_that_differ_and_clocks_that_differ_are_warnings(town):
    hour = 3_600_000
    town.alive = [beat("w1", range(6), version="0.0.1", at=time.time_ns() // 1_000_000 + hour)]
    warnings = [f for f in await town.told() if f.state == "warning"]
    assert [f.what for f in warnings] == ["versions", "process w1"]


async def test_who_fell_silent_is_a_warning_and_who_said_good_bye_is_none(town, store):
    now = time.time_ns() // 1_000_000
    await store.beat(beat("gone", at=now - 60_000))
    await store.beat(beat("left", at=now - 60_000, stopped=True))
    town.alive = [beat("w1", range(6))]
    assert [f.what for f in await town.told() if f.state == "warning"] == ["process gone"]


async def test_without_any_process_the_doctor_says_what_to_start(town):
    findings = await town.told()
    assert states(findings) == ["broken", "broken"]
    assert "weir worker" in findings[0].mend
