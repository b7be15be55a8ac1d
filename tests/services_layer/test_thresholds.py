"""Thresholds: versions, drafts, conflicts, audit."""

import pytest

from actors.errors import RejectedError
from services.errors import ConflictError, NotFoundError
from services.tuning.thresholds import Assignment, Thresholds

DELAY = "delay.threshold_s"


@pytest.fixture
async def thresholds(store, clock):
    loaded = Thresholds(store, clock)
    await loaded.load()
    return loaded


async def test_a_change_is_in_force_and_pushed_at_once(thresholds):
    heard = []
    thresholds.on_change(heard.append)
    version = await thresholds.assign([Assignment(DELAY, 20), Assignment(DELAY, 10, "shopee")], who="ann")
    assert heard == [thresholds.current()]
    assert thresholds.current().version == version.version == 1
    assert thresholds.current().value(DELAY, "ebay", "x") == 20
    assert thresholds.current().value(DELAY, "shopee", "x") == 10


async def test_what_is_in_force_survives_a_restart(thresholds, store, clock):
    await thresholds.assign([Assignment(DELAY, 20)], who="ann")
    again = Thresholds(store, clock)
    assert (await again.load()).value(DELAY) == 20


async def test_a_change_from_an_old_version_is_a_conflict(thresholds):
    await thresholds.assign([Assignment(DELAY, 20)], who="ann", expected=0)
    with pytest.raises(ConflictError, match="version 1"):
        await thresholds.assign([Assignment(DELAY, 25)], who="bob", expected=0)
    assert thresholds.current().value(DELAY) == 20


async def test_two_processes_cannot_both_win(thresholds, store, clock):
    other = Thresholds(store, clock)
    await other.load()
    await thresholds.assign([Assignment(DELAY, 20)], who="ann")
    await other.assign([Assignment(DELAY, 25)], who="bob")
    assert [version.version for version in await other.history(10)] == [2, 1]


async def test_a_draft_changes_nothing_until_it_is_activated(thresholds):
    draft = await thresholds.assign([Assignment(DELAY, 5)], who="ann", draft=True)
    assert thresholds.current().value(DELAY) == 30
    await thresholds.activate(draft.version, who="ann")
    assert thresholds.current().value(DELAY) == 5


async def test_rolling_back_is_a_new_version(thresholds):
    first = await thresholds.assign([Assignment(DELAY, 20)], who="ann")
    await thresholds.assign([Assignment(DELAY, 5)], who="ann")
    await thresholds.activate(first.version, who="bob")
    assert thresholds.current().value(DELAY) == 20
    assert thresholds.current().version == 3
    with pytest.raises(NotFoundError):
        await thresholds.activate(99, who="bob")


async def test_default_takes_an_override_away(thresholds):
    await thresholds.assign([Assignment(DELAY, 10, "shopee")], who="ann")
    await thresholds.assign([Assignment(DELAY, "default", "shopee")], who="ann")
    assert thresholds.current().overrides == {}


@pytest.mark.parametrize(
    "change",
    [
        Assignment("nonsense", 1),
        Assignment(DELAY, -1),
        Assignment(DELAY, "soon"),
        Assignment(DELAY, "off"),
        Assignment(DELAY, 1, "a/b/c"),
        Assignment(DELAY, 1, "a/"),
    ],
)
async def test_a_wrong_change_is_refused_and_changes_nothing(thresholds, change):
    with pytest.raises(RejectedError):
        await thresholds.assign([Assignment("loss.grace_s", 5), change], who="ann")
    assert thresholds.current().overrides == {}


async def test_every_change_says_who_when_before_and_after(thresholds, store, clock):
    await thresholds.assign([Assignment(DELAY, 20)], who="ann")
    clock.ms += 1000
    await thresholds.replace({"": {DELAY: 25}, "shopee": {"loss.grace_s": 5}}, who="bob")
    row = (await store.audit(1)).items[0]
    assert (row.who, row.what, row.at) == ("bob", "thresholds.changed", clock.ms)
    assert row.before == {DELAY: 20, "shopee:loss.grace_s": "default"}
    assert row.after == {DELAY: 25, "shopee:loss.grace_s": 5}
