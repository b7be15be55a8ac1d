"""What changes is looked at once, newest state first of all, and each alert rings once."""

import asyncio

import pytest

from services.alerts.deciding import Alert
from services.alerts.ringing import FRESH_MS, Ringing
from services.inbox.telling import TOPIC as DESK
from storage.errors import StoreBusyError
from storage.records import Batch, ConversationRow, MessageRow, PartitionMark, StateRow
from streams.bus import LocalBus
from streams.deltas import TOPIC, delta_of, encode_delta
from tests.streams.product import until

NOW = 1_800_000_000_000
KEY = "ebay/uk/1"


class Stage:
    """A store and `Alerts` that say what a test wants; what rang."""

    def __init__(self):
        self.bus = LocalBus()
        self.row = ConversationRow(
            key=KEY, platform="ebay", account="uk", conversation="1", assignee="ann", last_direction="in", last_at=NOW
        )
        self.message = MessageRow(key=KEY, message="m1", direction="in", sent_at=NOW, at=NOW)
        self.asked = []
        self.rang = []
        self.broken = 0
        self.ringing = Ringing(bus=self.bus, store=self, alerts=self, ring=self.rang.append, now=lambda: NOW)

    async def rows(self, keys):
        if self.broken:
            self.broken -= 1
            raise StoreBusyError("the test's store is busy")
        return [self.row] if KEY in keys else []

    async def latest_messages(self, _key, _limit):
        return [self.message]

    async def for_change(self, row, message=None, *, by=None):
        self.asked.append((row.key, message and message.message, by))
        name = message.message if message else by
        if name is None:
            return []
        return [Alert(id=name, person="ann", key=KEY, urgency="normal", why="message", title="t", text="x", at=NOW)]

    async def saved(self):
        batch = Batch(mark=PartitionMark(partition=0), conversations=[StateRow(key=KEY, state=b"")])
        await self.bus.publish(TOPIC, encode_delta(delta_of(batch, 1)))


@pytest.fixture
async def stage():
    made = Stage()
    running = asyncio.create_task(made.ringing.run())
    await until(lambda: len(made.bus.topics) == 2)
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_message_for_somebody_rings_once_however_often_its_conversation_changes(stage):
    await stage.saved()
    await until(lambda: stage.rang)
    looked = len(stage.asked)
    await stage.saved()
    await until(lambda: len(stage.asked) > looked)
    assert [alert.id for alert in stage.rang] == ["m1"]


async def test_nobodys_conversation_without_hurry_is_not_asked_about(stage):
    stage.row = ConversationRow(key=KEY, platform="ebay", account="uk", conversation="1", last_at=NOW)
    await stage.saved()
    await until(lambda: not stage.ringing.waiting)
    assert stage.asked == []


async def test_an_old_message_is_no_news_though_its_conversation_changed(stage):
    stage.row = ConversationRow(
        key=KEY, platform="ebay", account="uk", conversation="1", assignee="ann", last_direction="in",
        last_at=NOW - FRESH_MS,
    )  # fmt: skip
    await stage.saved()
    await until(lambda: stage.asked)
    assert stage.asked == [(KEY, None, None)]


async def test_who_is_given_a_conversation_is_asked_about_with_the_giver(stage):
    await stage.bus.publish(DESK, {"key": KEY, "what": "assigned", "who": "ben"})
    await until(lambda: (KEY, None, "ben") in stage.asked)


async def test_a_busy_database_delays_and_loses_nothing(stage):
    stage.broken = 1
    await stage.saved()
    await until(lambda: stage.rang)
    assert stage.rang[0].id == "m1"
