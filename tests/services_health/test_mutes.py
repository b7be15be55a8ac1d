"""Mutes: what is muted is counted and alarms nobody; when the mute ends it is told again at once."""

from __future__ import annotations

import asyncio

import pytest

from actors.errors import RejectedError
from actors.events import Auth
from services.errors import ConflictError, NotFoundError
from services.health.board import Scope
from services.health.mutes import LONGEST_MS, MOST_IN_FORCE, Mutes, covers, in_force
from storage.records import Mute
from storage.sqlite import SqliteStore
from tests.services_health.test_board import count, screen
from tests.services_health.town import START, wrote

MINUTE = 60_000
NOW = 1_795_312_800_000


def mute(**given):
    basis = {"id": "m1", "at": NOW - 1, "until": NOW + 60 * MINUTE, "who": "ann", "reason": "planned"}
    return Mute(**(basis | given))


def row(snapshot, account="a"):
    return next(one for one in snapshot.channels if one.account == account)


def test_a_muted_trouble_is_counted_and_silences_its_channel():
    snapshot = screen(unresolved=[count("loss", 3)], mutes=[mute(platform="shopee", account="a", kind="loss")])
    quiet = row(snapshot)
    assert (quiet.state, quiet.reason, quiet.loss, quiet.muted, quiet.at_risk) == ("silenced", "loss", 3, 3, 3)
    assert quiet.muted_until == NOW + 60 * MINUTE
    assert (snapshot.tiles.at_risk.value, snapshot.tiles.at_risk.muted) == (3, 3)
    (incident,) = snapshot.incidents
    assert (incident.status, incident.open, incident.muted_by) == ("open", 3, "m1")
    assert [(m.id, m.count) for m in snapshot.mutes] == [("m1", 3)]


def test_another_trouble_of_the_channel_still_alarms():
    both = [count("loss", 3), count("delay", 2)]
    snapshot = screen(unresolved=both, mutes=[mute(platform="shopee", kind="loss")])
    assert (row(snapshot).state, row(snapshot).reason, row(snapshot).muted) == ("slow", "delay", 3)
    assert [(i.guide, i.muted_by) for i in snapshot.incidents] == [("delay", None), ("loss", "m1")]


def test_failed_answers_are_another_trouble_than_lost_messages():
    snapshot = screen(unresolved=[count("loss", 1, cause="outbound")], mutes=[mute(kind="loss")])
    assert row(snapshot).state == "slow"
    snapshot = screen(unresolved=[count("loss", 1, cause="outbound")], mutes=[mute(kind="loss_outbound")])
    assert row(snapshot).state == "silenced"


def test_the_consequences_of_a_muted_trouble_are_muted_with_it():
    troubles = [count("channel_silent", 1, cause="silence"), count("loss", 4)]
    snapshot = screen(unresolved=troubles, mutes=[mute(platform="shopee", kind="channel_silent")])
    assert (row(snapshot).state, row(snapshot).reason, row(snapshot).muted) == ("silenced", "channel_silent", 5)
    assert snapshot.tiles.at_risk.muted == 4


def test_a_channel_muted_as_a_whole_says_so_even_while_it_is_well():
    snapshot = screen(mutes=[mute(platform="shopee")])
    assert (row(snapshot).state, row(snapshot).reason) == ("silenced", None)
    assert row(snapshot, "b").state == "ok"


def test_a_stopped_engine_cannot_be_muted():
    from tests.services_health.test_board import verdict  # noqa: PLC0415 # beside the one test that needs it

    snapshot = screen(verdict=verdict("engine"), mutes=[mute(platform="shopee")])
    assert {one.state for one in snapshot.channels} == {"no_data"}


def test_muted_incidents_stand_after_those_that_need_somebody():
    many = [count("loss", 9), count("delay", 1, account="b", platform="ebay", severity="info")]
    snapshot = screen(unresolved=many, mutes=[mute(platform="shopee")])
    assert [i.platform for i in snapshot.incidents] == ["ebay", "shopee"]


def test_a_filter_shows_the_mutes_that_touch_it():
    mutes = [mute(id="p", platform="shopee"), mute(id="k", kind="delay"), mute(id="o", platform="ebay")]
    shown = screen(scope=Scope(platform="shopee", account="a"), mutes=mutes)
    assert [m.id for m in shown.mutes] == ["p", "k"]


@pytest.mark.parametrize(
    ("given", "hit"),
    [
        ({"platform": "shopee"}, True),
        ({"platform": "ebay"}, False),
        ({"platform": "shopee", "account": "b"}, False),
        ({"kind": "loss"}, True),
        ({"kind": "delay"}, False),
    ],
)
def test_a_mute_covers_what_it_names(given, hit):
    assert covers(mute(**given), "shopee", "a", "loss") is hit


@pytest.fixture
def mutes(town):
    return Mutes(town.store, town.clock)


async def snapshot_of(town, monitor):
    """The store is read twice a second at most."""
    await asyncio.sleep(0.45)
    town.beat()
    return await monitor.refresh()


async def test_a_mute_ends_by_itself_and_the_trouble_is_told_again_at_once(town, mutes):
    await town.tell(wrote(1, START), Auth(platform="shopee", account="shop-sg", at=START, status="revoked"))
    monitor = town.monitor()
    made = await mutes.mute(who="ann", until=town.now + 15 * MINUTE, reason="renewing it", platform="shopee")
    silenced = await snapshot_of(town, monitor)
    assert (silenced.channels[0].state, silenced.channels[0].reason) == ("silenced", "auth")
    long = await monitor.snapshot("24h")
    assert long.channels[0].state == "silenced"
    town.now = made.until
    town.beat()
    assert (await monitor.refresh()).channels[0].state == "down"
    assert (await monitor.snapshot("24h")).channels[0].state == "down"
    assert (await monitor.incidents())[0].muted_by is None


async def test_a_mute_survives_a_restart_and_is_lifted_early(town, mutes, data_dir):
    made = await mutes.mute(who="ann", until=town.now + MINUTE, reason="x", kind="delay", platform="shopee")
    await town.store.close()
    town.store = SqliteStore(data_dir / "store.db")
    await town.store.open()
    again = Mutes(town.store, town.clock)
    assert await again.page(10, past=False) == [made]
    town.now += 1_000
    lifted = await again.lift(made.id, who="li")
    assert (lifted.ended_at, in_force(await again.page(10), town.now)) == (town.now, [])
    rows = (await town.store.audit(10)).items
    assert [(r.who, r.what) for r in rows] == [("li", "mute.lifted"), ("ann", "mute.created")]
    assert rows[0].subject == f"mute {made.id} (delay on shopee)"
    assert rows[1].after["reason"] == "x"
    with pytest.raises(ConflictError, match="over already"):
        await again.lift(made.id, who="li")
    with pytest.raises(NotFoundError):
        await again.lift("nothing", who="li")


async def test_mutes_that_were_lifted_never_hide_those_in_force(town, mutes):
    kept = await mutes.mute(who="ann", until=town.now + MINUTE, reason="x", kind="loss")
    for _ in range(3):
        made = await mutes.mute(who="ann", until=town.now + LONGEST_MS, reason="x", kind="delay")
        await mutes.lift(made.id, who="ann")
    assert (await mutes.page(1))[0].id == kept.id


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"until": START}, "later than now"),
        ({"until": START + LONGEST_MS + 1}, "seven days"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"kind": "nonsense"}, "kind: one of"),
        ({"kind": None}, "nobody would hear"),
        ({"account": "a", "platform": ""}, "platform it is on"),
        ({"platform": "x" * 1025}, "platform: at most"),
    ],
)
async def test_a_mute_that_makes_no_sense_is_refused_with_the_reason(mutes, given, why):
    basis = {"who": "ann", "until": START + MINUTE, "reason": "x", "kind": "loss"}
    with pytest.raises(RejectedError, match=why):
        await mutes.mute(**(basis | given))
    assert await mutes.page(10) == []


async def test_there_are_only_so_many_mutes_at_once(town, mutes):
    for number in range(MOST_IN_FORCE):
        made = mute(id=f"m{number}", at=town.now, until=town.now + MINUTE)
        await town.store.put_mute(made, mutes._audit("mute.created", made, "x", None, None))
    with pytest.raises(ConflictError, match="in force already"):
        await mutes.mute(who="ann", until=town.now + MINUTE, reason="x", kind="loss")
