"""What a process without engines knows of the processes that have some."""

import pytest

from services.health.fleet import FRESH_MS, GRACE_MS, Fleet
from services.health.fleet_pulse import FleetPulse
from services.health.heartbeats import Heartbeats
from services.health.signs import Report, SignOfLife, report_of
from services.health.watchdog import Watchdog
from storage.records import ProcessBeat
from streams.ports import LogRecord, PartitionPosition

GOOD = {"engine": 0, "persister": 0}
SECOND = 1_000


class Steady:
    def __init__(self):
        self.ms = 50_000

    def __call__(self):
        return self.ms


@pytest.fixture
def steady():
    return Steady()


@pytest.fixture
def fleet(steady):
    return Fleet(4, steady=steady)


def beat(clock, process="worker-a", *, partitions=(0, 1, 2, 3), role="worker", off=0, **said):
    said = {"ready": True, "ages": GOOD, **said}
    return ProcessBeat(
        process=process, role=role, at=clock() + off, started_at=0, partitions=list(partitions), health=said
    )


class Seconds:
    """Lets seconds pass: every second each process beats and somebody looks."""

    def __init__(self, fleet, steady, clock):
        self.fleet, self.steady, self.clock = fleet, steady, clock
        self.beats = {}

    def pass_(self, seconds, *alive):
        for _ in range(seconds):
            self.clock.ms += SECOND
            self.steady.ms += SECOND
            self.beats |= {one["process"]: beat(self.clock, **one) for one in alive}
            self.fleet.observe(self.beats.values(), self.clock())


@pytest.fixture
def seconds(fleet, steady, clock):
    return Seconds(fleet, steady, clock)


A = {"process": "worker-a", "partitions": (0, 1)}
B = {"process": "worker-b", "partitions": (2, 3)}


def test_partitions_are_served_by_the_processes_that_say_so(seconds, fleet):
    seconds.pass_(1, A, B)
    assert fleet.served() == {0, 1, 2, 3}
    assert fleet.forsaken() == {}


def test_a_silent_process_forsakes_its_partitions_after_a_hand_overs_time(seconds, fleet):
    seconds.pass_(3, A, B)
    seconds.pass_(FRESH_MS // SECOND + 1, A)
    assert fleet.served() == {0, 1}
    assert fleet.forsaken() == {}
    seconds.pass_(GRACE_MS // SECOND, A)
    assert set(fleet.forsaken()) == {2, 3}
    seconds.pass_(1, {**A, "partitions": (0, 1, 2, 3)})
    assert fleet.forsaken() == {}


def test_a_process_whose_engine_or_persister_stands_still_serves_nothing(seconds, fleet):
    seconds.pass_(
        1, {**A, "ages": {"engine": 11_000, "persister": 0}}, {**B, "ages": {"engine": 0, "persister": 11_000}}
    )
    assert fleet.served() == set()


def test_clocks_that_disagree_make_nobody_seem_dead(seconds, fleet):
    hour = 3_600_000
    seconds.pass_(3, {**A, "off": -hour}, {**B, "off": hour})
    assert fleet.served() == {0, 1, 2, 3}
    seconds.pass_(FRESH_MS // SECOND + 1)
    assert fleet.served() == set()


def test_a_sign_of_life_from_long_ago_is_no_life(clock, fleet):
    fleet.observe([beat(clock, off=-60_000)], clock())
    assert fleet.living() == []


def test_who_said_good_bye_is_not_among_the_living(seconds, fleet):
    seconds.pass_(1, A, {**B, "stopped": True})
    assert [seen.beat.process for seen in fleet.living()] == ["worker-a"]


def test_what_another_version_says_in_another_form_is_taken_as_silence(clock, fleet):
    odd = ProcessBeat(process="x", role="worker", at=clock(), started_at=0, partitions=[0], health={"lag": "much"})
    fleet.observe([odd], clock())
    assert report_of(odd) == Report()
    assert fleet.served() == set()


async def test_what_a_process_says_of_itself_comes_back_as_it_was_said(store, clock):
    said = Report(ready=True, ages=GOOD, lag={0: 3, 11: 0}, watermark={11: clock()}, waiting_ms=250, thresholds=4)
    signs = SignOfLife(store, clock, role="worker", version="9", report=lambda: said, partitions=lambda: [0, 11])
    await signs._tell(said, [0, 11])
    [found] = await store.beats(0)
    assert (found.role, found.version, found.partitions) == ("worker", "9", [0, 11])
    assert report_of(found) == said
    await signs.last_word()
    [found] = await store.beats(0)
    assert report_of(found).stopped


class Log:
    """Four partitions; record n of partition 3 was accepted at n seconds."""

    def __init__(self):
        self.ends = dict.fromkeys(range(4), 0)
        self.committed = dict.fromkeys(range(4), 0)

    async def positions(self):
        return [
            PartitionPosition(partition=p, start=0, end=self.ends[p], committed=self.committed[p]) for p in self.ends
        ]

    async def records(self, partition, offset=0):
        for number in range(offset, self.ends[partition]):
            yield LogRecord(partition, number, 1_800_000_000_000 + number * SECOND, b"")


class Office(Seconds):
    """A process without engines: it looks once a second, as the real one does."""

    def __init__(self, fleet, steady, clock, store, log):
        super().__init__(fleet, steady, clock)
        self.store, self.log = store, log
        self.heartbeats = Heartbeats(clock, steady=steady)
        self.watchdog = Watchdog(self.heartbeats, clock)
        self.pulse = FleetPulse(
            store=store,
            reader=log,
            horizon=clock,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=clock,
            partitions=4,
            fleet=fleet,
        )

    async def passes(self, seconds, *alive):
        for _ in range(seconds):
            self.clock.ms += SECOND
            self.steady.ms += SECOND
            for one in alive:
                await self.store.beat(beat(self.clock, **one))
            await self.pulse.look()
            self.heartbeats.beat("monitor")
            self.watchdog.look()

    @property
    def alarms(self):
        return [alarm.kind for alarm in self.watchdog.verdict.alarms]


@pytest.fixture
def office(fleet, steady, clock, store):
    return Office(fleet, steady, clock, store, Log())


async def test_with_all_workers_at_work_nothing_is_wrong(office):
    await office.passes(30, A, B)
    assert office.alarms == []
    assert office.watchdog.verdict.silent_since is None
    assert office.pulse.checked_channels({"ebay/shop"}) == {"ebay/shop"}


async def test_when_all_workers_stop_there_is_no_data(office):
    await office.passes(5, A, B)
    office.log.ends[3] = 50
    await office.passes(30)
    verdict = office.watchdog.verdict
    assert verdict.silent_since is not None
    assert {alarm.evidence.get("part") for alarm in verdict.alarms} >= {"engine", "persister"}
    assert (verdict.backlog.accepted, verdict.backlog.processed) == (50, 0)
    assert verdict.backlog.oldest_ms == office.clock() - 1_800_000_000_000
    await office.passes(2, A, B)
    office.log.committed[3] = 50
    await office.passes(1, A, B)
    assert office.alarms == []


async def test_partitions_of_a_worker_that_is_gone_are_stuck_and_their_channels_unchecked(office):
    await office.passes(5, A, B)
    await office.passes(20, A)
    verdict = office.watchdog.verdict
    assert verdict.silent_since is None
    assert set(verdict.backlog.stuck) == {2, 3}
    assert office.alarms == ["queue"]
    bound = {f"ebay/shop-{n}" for n in range(20)}
    checked = office.pulse.checked_channels(bound)
    assert 0 < len(checked) < len(bound)


async def test_what_waits_is_as_old_as_its_worker_says(office):
    await office.passes(5, {**A, "waiting_ms": 1500, "unsaved": 7}, {**B, "waiting_ms": 200})
    assert office.watchdog.verdict.backlog.oldest_ms == 1500
    assert office.pulse.applied_unsaved()


async def test_troubles_are_told_with_the_process_that_has_them(office):
    await office.passes(1, {**A, "troubles": ["saving: the disk is full"]}, B)
    assert office.pulse.fleet.troubles() == ["worker-a: saving: the disk is full"]
