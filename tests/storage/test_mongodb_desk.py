"""Changes of the desk on MongoDB: the row of the audit log outlives whoever dies before it is delivered."""

from __future__ import annotations

import pytest

from storage.inbox_records import DeskChange
from storage.mongodb import MongoStore, desk
from storage.records import AuditRow
from tests.storage.flushes import NOW, Flushes, stored

pytestmark = pytest.mark.services
KEY = "shopee/shop/c1"


class DiedError(Exception):
    """The process is gone."""


@pytest.fixture
async def store(mongo):
    found = MongoStore(mongo.fresh(), timeout_s=60)
    await found.open()
    yield found
    await found.close()


def change(replaces, assignee):
    return DeskChange(at=NOW, replaces=replaces, assignee=assignee)


def note(who):
    return AuditRow(at=NOW, who=who, what="conversation.claimed", subject=KEY)


@pytest.fixture
async def claimed(store, monkeypatch):
    """Somebody took it, and died before that was in the log."""

    async def dies(*_):
        raise DiedError

    await Flushes(store)(stored("m1"))
    with monkeypatch.context() as deadly:
        deadly.setattr(desk, "deliver_desk", dies)
        with pytest.raises(DiedError):
            await store.change_desk(KEY, change(0, "ann"), note("ann"))
    assert (await store.audit(5)).items == []
    return store


async def test_the_next_change_delivers_it_first(claimed):
    assert (await claimed.change_desk(KEY, change(1, "bob"), note("bob"))).assignee == "bob"
    assert [row.who for row in (await claimed.audit(5)).items] == ["bob", "ann"]


async def test_the_next_start_delivers_it_once(claimed):
    for _ in range(2):
        other = MongoStore(claimed._db.address.url, timeout_s=60)
        await other.open()
        assert [row.who for row in (await other.audit(5)).items] == ["ann"]
        await other.close()
    assert (await claimed.conversation(KEY)).assignee == "ann"


async def test_a_flush_between_takes_nothing_of_the_desk_away(claimed):
    save = Flushes(claimed)
    save.versions[0] = 1
    await save(stored("m2", at=NOW + 1, direction="out"))
    row = await claimed.conversation(KEY)
    assert (row.assignee, row.desk_version, row.messages) == ("ann", 1, 2)
