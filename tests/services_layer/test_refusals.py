"""What was refused is found in the log, newest first, whatever else lies between, and how far back is told."""

from __future__ import annotations

import pytest

from actors.events import Clock, Rejected
from services.arrivals.refusals import STRIDE, Refusals
from streams.embedded.log import EmbeddedLog
from streams.gateway import EmbeddedGateway

PARTITIONS = 3


@pytest.fixture
async def gateway(tmp_path):
    log = EmbeddedLog(tmp_path / "log.db", partitions=PARTITIONS)
    await log.open()
    opened = EmbeddedGateway(log)
    yield opened
    await opened.close()
    await log.close()


def refused(gateway, reason, account="shop-1"):
    return Rejected(at=gateway.now(), reason=reason, raw=b"{", platform="shopee", account=account)


async def test_the_latest_come_first_and_ordinary_entries_do_not_hide_them(gateway):
    await gateway.submit([refused(gateway, "first")])
    for _ in range(STRIDE + 3):
        await gateway.submit([Clock(at=gateway.now())])
    await gateway.submit([refused(gateway, "second"), refused(gateway, "third")])
    found = await Refusals(gateway, PARTITIONS).latest(10)
    assert [one.reason for one in found.items] == ["third", "second", "first"]
    assert found.complete
    assert found.since is None


async def test_one_channel_shows_its_own_alone(gateway):
    accounts = [f"shop-{number}" for number in range(8)]
    await gateway.submit([refused(gateway, "odd", account) for account in accounts])
    refusals = Refusals(gateway, PARTITIONS)
    for account in accounts:
        found = await refusals.latest(10, "shopee", account)
        assert [one.account for one in found.items] == [account]
    assert (await refusals.latest(10, "lazada")).items == []


async def test_no_more_are_given_than_were_asked_for_and_that_is_said(gateway):
    for number in range(5):
        await gateway.submit([refused(gateway, str(number))])
    found = await Refusals(gateway, PARTITIONS).latest(2)
    assert [one.reason for one in found.items] == ["4", "3"]
    assert not found.complete


async def test_a_search_without_time_says_that_nothing_was_looked_through(gateway):
    await gateway.submit([refused(gateway, "late")])
    found = await Refusals(gateway, PARTITIONS, search_s=-1).latest(2)
    assert (found.items, found.complete) == ([], False)


async def test_an_empty_log_is_looked_through_at_once(gateway):
    found = await Refusals(gateway, PARTITIONS).latest(2)
    assert (found.items, found.complete, found.since) == ([], True, None)
