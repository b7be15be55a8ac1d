"""The simulations behind docs/scaling.md: conserved, seeded, and in step with the product's own parts."""

from __future__ import annotations

import pytest
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from hypothesis import given
from hypothesis import strategies as st

from actors.keys import partition_of
from loadtest.capacity.assignment import dealt, moved, sticky
from loadtest.capacity.backlog import Change, burst, fill, recover, through
from loadtest.capacity.skew import by_count, by_load, imbalance, loads, zipf
from loadtest.capacity.tables import DEATH, everything
from loadtest.peak import five_minutes
from streams.kafka.consumer import SESSION_S

EVEN = [1 / 64] * 64


def test_shares_are_all_of_it_and_fall_as_the_exponent_says():
    shares = zipf(1000, 0.8)
    assert sum(shares) == pytest.approx(1)
    assert shares[0] / shares[9] == pytest.approx(10**0.8)


def test_the_partitions_hold_everything_and_follow_the_seed():
    shares = zipf(500, 0.8)
    assert sum(loads(shares, 32, seed=3)) == pytest.approx(1)
    assert loads(shares, 32, seed=3) == loads(shares, 32, seed=3)
    assert sorted(loads(shares, 32, seed=3)) != pytest.approx(sorted(loads(shares, 32, seed=4)))


def test_names_that_differ_in_a_number_spread_as_well_as_any():
    found = [0] * 32
    for number in range(1, 1001):
        found[partition_of("shopee", f"shop-{number}", 32)] += 1
    assert max(found) / (1000 / 32) < 1.3


@given(partitions=st.integers(1, 40), workers=st.integers(1, 9), seed=st.integers(0, 99))
def test_workers_get_every_partition_once_by_count_or_by_load(partitions, workers, seed):
    spread = loads(zipf(30, 1.0), partitions, seed)
    assert sum(by_count(spread, workers, seed)) == pytest.approx(1)
    assert sum(by_load(spread, workers)) == pytest.approx(1)


def test_nothing_is_uneven_where_there_is_one_worker():
    assert imbalance(zipf(50, 1.0), 16, 1, trials=5).p99 == pytest.approx(1)


def test_no_assignment_gives_the_busiest_worker_less_than_the_largest_shop():
    shares = zipf(100, 1.0)
    assert imbalance(shares, 256, 16, trials=20, weighed=True).p50 >= shares[0] * 16


def test_given_out_by_load_is_more_even_than_by_count():
    shares = zipf(1000, 0.8)
    count = imbalance(shares, 128, 8, trials=30)
    load = imbalance(shares, 128, 8, trials=30, weighed=True)
    assert load.p95 < count.p50


group = st.tuples(st.integers(1, 64), st.integers(1, 8), st.integers(1, 8))


@given(group)
def test_a_sticky_group_is_balanced_and_complete(sizes):
    partitions, before, after = sizes
    held = sticky(dealt(partitions, names(before)), names(after), partitions)
    assert sorted(p for ps in held.values() for p in ps) == list(range(partitions))
    counts = [len(ps) for ps in held.values()]
    assert max(counts) - min(counts) <= 1


def test_a_worker_that_leaves_moves_its_own_partitions_only():
    before = dealt(64, names(4))
    assert moved(before, sticky(before, names(3), 64)) == before["w3"]


def test_a_worker_that_joins_gets_its_share_and_nobody_else_changes():
    before = dealt(64, names(4))
    after = sticky(before, [*names(4), "new"], 64)
    assert moved(before, after) == after["new"]


@pytest.mark.parametrize(("before", "after"), [(4, 3), (4, 5), (2, 3), (8, 7)])
def test_the_group_s_own_assignor_moves_as_many(before, after):
    owned = dealt(64, names(before))
    real = assigned(64, owned, names(after))
    model = sticky(owned, names(after), 64)
    assert len(moved(owned, real)) == len(moved(owned, model))
    assert sorted(map(len, real.values())) == sorted(map(len, model.values()))


def test_what_stands_comes_in_and_is_worked_off():
    """At half use eight seconds of one worker's share are worked off with the other half: (rate, stood) by hand."""
    change = Change(leaves=False, round_s=4.0)
    found = recover(EVEN, partitions=1, workers=1, utilisation=0.5, change=change)
    assert found.level_s == pytest.approx(4 + 4 * 0.5 / 0.5)


def test_a_group_without_room_for_a_loss_is_never_level_again():
    found = recover(EVEN, partitions=32, workers=2, utilisation=0.6, change=DEATH)
    assert found.level_s is None
    assert found.after > 1 > found.before


def test_a_death_is_noticed_when_the_group_s_session_ends():
    assert DEATH.unnoticed_s == SESSION_S
    assert DEATH.unnoticed_s + DEATH.round_s + DEATH.loading_s <= 10


def test_a_basin_fills_and_empties_as_arithmetic_says():
    found = fill(lambda at: 3.0 if at < 10 else 0.5, 100)
    assert found.longest_s == pytest.approx(20, abs=1)
    assert found.level_s == pytest.approx(50, abs=2)


def test_a_burst_that_fits_causes_no_wait():
    assert burst(normal=0.01, others=0.5, times=30, seconds=300).longest_s == 0
    assert burst(normal=0.02, others=0.6, times=30, seconds=300).longest_s == pytest.approx(60, abs=1)


def test_more_capacity_never_means_a_longer_wait():
    waits = [through(five_minutes(), 300, capacity).longest_s for capacity in (6, 8, 10, 15, 20, 31)]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] == 0


def test_every_table_is_whole():
    texts = list(everything(trials=2, sets=2))
    assert len(texts) == 5
    for text in texts:
        title, _, *lines = text.strip().splitlines()
        assert title.startswith("### ")
        assert len({line.count("|") for line in lines}) == 1


def names(count):
    return [f"w{number}" for number in range(count)]


def assigned(partitions, owned, members):
    """What the group's real assignor gives to `members` who held `owned`."""
    topic = "t"
    metadata = {}
    for name in members:
        assignor = type("Assignor", (StickyPartitionAssignor,), {"member_assignment": None})
        assignor.on_assignment(ConsumerProtocolMemberAssignment(0, [(topic, owned.get(name, []))], b""))
        metadata[name] = assignor.metadata({topic})
    leader = type("Leader", (StickyPartitionAssignor,), {"member_assignment": None})
    given_out = leader.assign(Topics(topic, partitions), metadata)
    return {name: [p for _, held in share.assignment for p in held] for name, share in given_out.items()}


class Topics:
    """What an assignor asks of the cluster: its topics and their partitions."""

    def __init__(self, topic, partitions):
        self.topic, self.partitions = topic, partitions

    def topics(self):
        return {self.topic}

    def partitions_for_topic(self, _):
        return set(range(self.partitions))
