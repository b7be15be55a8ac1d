"""What open inboxes are told: over the live bus of one process, with a desk whose rows the tests write."""

import asyncio
import json

import pytest

from services.errors import TooManyAttemptsError
from services.inbox.live.follower import MOST_OF_ONE, OVER, Follower
from services.inbox.live.frames import Hello, Watch
from services.inbox.telling import TOPIC as DESK
from services.people.permissions import Caller
from storage.errors import StoreBusyError
from storage.inbox_records import Scope
from storage.records import Batch, ConversationRow, PartitionMark, StateRow
from streams.bus import LocalBus
from streams.coordination.presence import LocalPresence
from streams.deltas import TOPIC, delta_of, encode_delta
from tests.streams.product import until

ANN = Caller(name="ann", role="agent", via="session", credential="a")
BEN = Caller(name="ben", role="agent", via="session", credential="b")
PATIENCE_S = 10
PARTS = ("rows", "gone", "fresh", "counts", "thread")


def eyes(*channels):
    """A scope of some channels, each of another team."""
    held = tuple(tuple(channel.split("/")) for channel in channels)
    return Scope(channels=held, held_channels=(("ebay", "uk"), ("shopee", "sg")))


class Desk:
    """Rows by key; `eyes` by name."""

    def __init__(self):
        self.held = {}
        self.eyes = {"ann": eyes("ebay/uk", "shopee/sg"), "ben": eyes("ebay/uk")}
        self.asked = []
        self.broken = 0

    def put(self, key, text):
        platform, account, conversation = key.split("/")
        self.held[key] = ConversationRow(
            key=key, platform=platform, account=account, conversation=conversation, last_text=text
        )

    async def rows(self, keys):
        self.asked.append(list(keys))
        if self.broken:
            self.broken -= 1
            raise StoreBusyError("the test's desk is busy")
        return [self.held[key] for key in keys if key in self.held]

    async def scope(self, caller):
        return self.eyes[caller.name]

    async def counts(self, scopes):
        return [{"all": sum(scope.sees(row) for row in self.held.values())} for scope in scopes]


class Stage:
    def __init__(self):
        self.bus = LocalBus()
        self.desk = Desk()
        self.callers = {"a": ANN, "b": BEN}
        self.follower = Follower(
            bus=self.bus, desk=self.desk, presence=LocalPresence(), view=_view, renewed=self._renewed, now=lambda: 1_000
        )

    async def _renewed(self, caller):
        return self.callers.get(caller.credential)

    async def saved(self, *keys):
        """An engine has saved changes of these conversations."""
        states = [StateRow(key=key, state=b"") for key in keys]
        batch = Batch(mark=PartitionMark(partition=0), conversations=states)
        await self.bus.publish(TOPIC, encode_delta(delta_of(batch, 1)))

    async def news(self, screen, *wanted):
        """Frames of a screen until one has each of `wanted`; the last of each kind of thing told."""
        found = {}
        async with asyncio.timeout(PATIENCE_S):
            while not all(name in found for name in wanted):
                await screen.news.wait()
                for frame in self.follower.news_of(screen):
                    told = json.loads(frame)
                    if told["type"] == "news":
                        found |= {
                            name: told[name] for name in ("rows", "gone", "fresh", "counts", "thread") if told[name]
                        }
                        found["seq"] = told["seq"]
                    else:
                        found[told["type"]] = told
        return found

    async def present(self, screen, who):
        """Return when a screen is told that these are there."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.news(screen, "present"))["present"]["who"] != who:
                pass


def _view(row):
    return {"key": row.key, "last_text": row.last_text}


@pytest.fixture
async def stage():
    made = Stage()
    running = asyncio.create_task(made.follower.run())
    await until(lambda: len(made.bus.topics) == 3)
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_row_in_sight_is_told_as_it_is_now(stage):
    stage.desk.put("ebay/uk/1", "hello")
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.follower.watch(screen, Watch(keys=["ebay/uk/1"]))
        await stage.saved("ebay/uk/1")
        told = await stage.news(screen, "rows")
    assert told["rows"] == [{"key": "ebay/uk/1", "last_text": "hello"}]


async def test_what_people_do_is_told_like_what_engines_save(stage):
    stage.desk.put("ebay/uk/1", "taken")
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.follower.watch(screen, Watch(keys=["ebay/uk/1"]))
        await stage.bus.publish(DESK, {"key": "ebay/uk/1", "what": "claimed", "who": "ben"})
        told = await stage.news(screen, "rows")
    assert told["rows"][0]["last_text"] == "taken"


async def test_a_conversation_that_one_may_not_see_leaves_the_screen_and_shows_nothing(stage):
    stage.desk.put("shopee/sg/1", "secret")
    with stage.follower.screen(BEN, stage.desk.eyes["ben"]) as screen:
        await stage.follower.watch(screen, Watch(keys=["shopee/sg/1"]))
        await stage.saved("shopee/sg/1")
        told = await stage.news(screen, "gone")
    assert told["gone"] == ["shopee/sg/1"]
    assert "rows" not in told


async def test_a_change_out_of_sight_is_counted_for_those_whom_it_concerns(stage):
    with (
        stage.follower.screen(ANN, stage.desk.eyes["ann"]) as ann,
        stage.follower.screen(BEN, stage.desk.eyes["ben"]) as ben,
    ):
        await stage.saved("shopee/sg/1", "shopee/sg/2", "ebay/uk/7")
        assert (await stage.news(ann, "fresh"))["fresh"] == 3
        assert (await stage.news(ben, "fresh"))["fresh"] == 1


async def test_the_open_thread_is_told_that_it_changed(stage):
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.follower.watch(screen, Watch(thread="ebay/uk/1"))
        await stage.saved("ebay/uk/1")
        assert (await stage.news(screen, "thread"))["thread"] == {"key": "ebay/uk/1"}


async def test_a_conversation_is_read_once_for_all_who_watch_it(stage):
    stage.desk.put("ebay/uk/1", "hello")
    with (
        stage.follower.screen(ANN, stage.desk.eyes["ann"]) as ann,
        stage.follower.screen(BEN, stage.desk.eyes["ben"]) as ben,
    ):
        for screen in (ann, ben):
            await stage.follower.watch(screen, Watch(keys=["ebay/uk/1"]))
        await stage.saved("ebay/uk/1")
        await stage.news(ann, "rows")
        await stage.news(ben, "rows")
    assert stage.desk.asked == [["ebay/uk/1"]]


async def test_a_screen_that_comes_back_is_told_what_changed_meanwhile(stage):
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.saved("ebay/uk/1")
        seq = (await stage.news(screen, "fresh"))["seq"]
        await stage.saved("ebay/uk/2", "ebay/uk/3")
        await stage.news(screen, "fresh")
    back = json.loads(stage.follower.hello(Hello(epoch=stage.follower.epoch, seq=seq)))
    assert back["complete"] is True
    assert set(back["changed"]) == {"ebay/uk/2", "ebay/uk/3"}


async def test_a_screen_of_another_process_reads_everything_anew(stage):
    told = json.loads(stage.follower.hello(Hello(epoch="another", seq=0)))
    assert told["complete"] is False
    assert told["epoch"] == stage.follower.epoch


async def test_a_row_that_changed_between_reading_and_watching_is_told(stage):
    stage.desk.put("ebay/uk/1", "new")
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.saved("ebay/uk/1")
        await stage.news(screen, "fresh")
        await stage.follower.watch(screen, Watch(keys=["ebay/uk/1"], thread="ebay/uk/1"))
        told = await stage.news(screen, "rows", "thread")
    assert told["rows"][0]["last_text"] == "new"


async def test_news_that_the_bus_lost_make_everybody_read_anew(stage):
    stage.desk.put("ebay/uk/1", "hello")
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.follower.watch(screen, Watch(keys=["ebay/uk/1"], thread="ebay/uk/1"))
        before = stage.follower.seq
        stage.bus.miss(TOPIC)
        told = await stage.news(screen, "rows", "thread", "fresh")
    assert told["rows"][0]["last_text"] == "hello"
    assert json.loads(stage.follower.hello(Hello(epoch=stage.follower.epoch, seq=before)))["complete"] is False


async def test_a_busy_database_delays_news_and_loses_none(stage):
    stage.desk.put("ebay/uk/1", "hello")
    stage.desk.broken = 1
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.follower.watch(screen, Watch(keys=["ebay/uk/1"]))
        await stage.saved("ebay/uk/1")
        told = await stage.news(screen, "rows")
    assert told["rows"][0]["last_text"] == "hello"


async def test_those_who_look_at_a_conversation_see_each_other(stage):
    with (
        stage.follower.screen(ANN, stage.desk.eyes["ann"]) as ann,
        stage.follower.screen(BEN, stage.desk.eyes["ben"]) as ben,
    ):
        await stage.follower.watch(ann, Watch(thread="ebay/uk/1"))
        await stage.follower.watch(ben, Watch(thread="ebay/uk/1"))
        await stage.present(ann, [{"name": "ben", "typing": False}])
        await stage.follower.typing(ann, "ebay/uk/1")
        await stage.present(ben, [{"name": "ann", "typing": True}])
        await stage.follower.watch(ben, Watch())
        await stage.present(ann, [])


async def test_counts_are_those_of_ones_own_scope(stage):
    stage.desk.put("ebay/uk/1", "a")
    stage.desk.put("shopee/sg/1", "b")
    with (
        stage.follower.screen(ANN, stage.desk.eyes["ann"]) as ann,
        stage.follower.screen(BEN, stage.desk.eyes["ben"]) as ben,
    ):
        assert (await stage.news(ann, "counts"))["counts"] == {"all": 2}
        assert (await stage.news(ben, "counts"))["counts"] == {"all": 1}


async def test_rights_that_were_taken_away_hold_for_an_open_screen(stage):
    stage.desk.put("shopee/sg/1", "b")
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        await stage.follower.watch(screen, Watch(keys=["shopee/sg/1"]))
        stage.desk.eyes["ann"] = eyes()
        await until(lambda: not screen.scope.channels)
        await stage.saved("shopee/sg/1")
        assert (await stage.news(screen, "gone"))["gone"] == ["shopee/sg/1"]


async def test_a_session_that_ended_ends_the_screen(stage):
    with stage.follower.screen(ANN, stage.desk.eyes["ann"]) as screen:
        del stage.callers["a"]
        async with asyncio.timeout(PATIENCE_S):
            while screen.closing is None:
                await screen.news.wait()
                stage.follower.news_of(screen)
        assert screen.closing == OVER


async def test_one_person_does_not_take_all_the_screens(stage):
    scope = stage.desk.eyes["ann"]
    opened = [stage.follower.screen(ANN, scope) for _ in range(MOST_OF_ONE)]
    for one in opened:
        one.__enter__()
    with pytest.raises(TooManyAttemptsError), stage.follower.screen(ANN, scope):
        pass
    with stage.follower.screen(BEN, scope):
        pass
    for one in opened:
        one.__exit__(None, None, None)
    assert stage.follower.open == 0
