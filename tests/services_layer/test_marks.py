"""Platforms are told what was read here, once, where the channel asks for it; that they cannot be told harms nobody."""

from __future__ import annotations

import pytest

from connectors.contract.asking import MARK_READ
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError
from services.channels import marks
from services.channels.marks import ATTEMPTS, KIND, Marks, put_down
from tests.services_layer.bazaar import MINUTE, Bazaar, opened_town

KEY = "reader/shop-1/c1"


class Reader(Bazaar):
    """A platform that can be told; `told` is what it was, `trouble` what it answers first."""

    platform = "reader"
    settings = (MARK_READ,)

    def __init__(self, binding):
        super().__init__(binding)
        self.told = []
        self.trouble = []
        self.wanted = True

    def marks_read(self):
        return self.wanted

    async def mark_read(self, conversation, message, api):
        del api
        if self.trouble:
            raise self.trouble.pop(0)
        self.told.append((conversation, message))


@pytest.fixture
async def town(data_dir, monkeypatch):
    monkeypatch.setattr(marks, "PLATFORMS", frozenset({"reader"}))
    async with opened_town(data_dir) as made:
        yield made


@pytest.fixture
async def reader(town):
    """A bound channel in which a customer wrote, was answered, and wrote again."""
    bound = town.bound(Reader)
    said = [bound.message(1, town.now), bound.message(3, town.now + 1, direction="out"), bound.message(2, town.now + 2)]
    await town.pushed(bound, *said)
    return bound


@pytest.fixture
def work(town):
    return Marks(store=town.store, find=town.connector, apis=town.apis, now=town.clock)


async def opens(town):
    row = await town.store.conversation(KEY)
    await put_down(town.store, row, town.now)
    return row


async def test_the_customers_latest_message_is_told_as_read_once(town, reader, work):
    row = await opens(town)
    assert row.unread
    await opens(town)
    assert await work.step(town.now) == 1
    assert reader.told == [("c1", "m2")]
    assert await work.step(town.now) == 0


async def test_nothing_is_put_down_where_nothing_is_unread_or_the_platform_cannot_be_told(town, reader, monkeypatch):
    del reader
    monkeypatch.setattr(marks, "PLATFORMS", frozenset())
    await opens(town)
    assert await town.store.jobs(KIND, 5) == []


async def test_a_channel_that_does_not_ask_for_it_is_left_alone(town, reader, work):
    reader.wanted = False
    await opens(town)
    await work.step(town.now)
    assert (reader.told, await town.store.jobs(KIND, 5)) == ([], [])


async def test_what_fails_for_a_moment_is_told_later_and_not_for_ever(town, reader, work):
    reader.trouble = [UncertainError("no answer"), BusyError("later", 60.0)]
    await opens(town)
    await work.step(town.now)
    assert await work.step(town.now) == 0
    await town.pass_by(5_000)
    await work.step(town.now)
    await town.pass_by(59_000)
    assert await work.step(town.now) == 0
    await town.pass_by(MINUTE)
    await work.step(town.now)
    assert reader.told == [("c1", "m2")]
    reader.told.clear()
    reader.trouble = [UncertainError("no answer")] * ATTEMPTS
    await opens(town)
    for _ in range(ATTEMPTS):
        await work.step(town.now)
        await town.pass_by(10 * MINUTE)
    assert (reader.told, reader.trouble, await town.store.jobs(KIND, 5)) == ([], [], [])


@pytest.mark.parametrize("trouble", [RefusedError("no"), DeniedError("no"), ValueError("odd")])
async def test_what_is_refused_is_left(town, reader, work, trouble):
    reader.trouble = [trouble]
    await opens(town)
    await work.step(town.now)
    assert (reader.told, await town.store.jobs(KIND, 5)) == ([], [])


def test_the_platforms_that_can_be_told_are_those_with_the_setting():
    assert sorted(marks.PLATFORMS) == ["ebay", "lazada", "shopee", "tiktok"]
