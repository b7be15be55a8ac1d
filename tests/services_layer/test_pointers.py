"""What webhooks only point to is fetched until it is there, and given up after a day."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from actors.events import Auth, Message, Rejected
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError
from connectors.contract.connector import UnreadableError
from connectors.contract.history import Pointer
from services.arrivals.pointers import Pointers
from tests.services_layer.bazaar import DAY, MINUTE, Bazaar, opened_town


class Postcards(Bazaar):
    """`outcomes`: what asking brings, one after the other, the last for ever."""

    platform = "postcards"

    def __init__(self, binding):
        super().__init__(binding)
        self.outcomes = []
        self.resolved = []

    async def resolve(self, pointer, api):
        assert api.now() > 0
        self.resolved.append((pointer.id, dict(pointer.about)))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome == "hang":
            await asyncio.Event().wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
async def town(data_dir):
    async with opened_town(data_dir) as made:
        yield made


@pytest.fixture
def heard():
    return []


@pytest.fixture
def pointers(town, heard):
    made = Pointers(
        store=town.store,
        arrivals=town.arrivals,
        find=town.connector,
        apis=town.apis,
        now=town.clock,
        patience_s=0.2,
    )
    made.observe = heard.append
    return made


@pytest.fixture
async def shop(town):
    """A channel whose webhook pointed to one message."""
    bound = town.bound(Postcards)
    await town.arrivals.take(bound, [Pointer(id="p/1", about={"path": "/messages/1"})])
    bound.outcomes = [[bound.message(1, town.now)]]
    return bound


async def work(town, pointers, minutes):
    """Let so many minutes pass, looking every second; when something was tried (s)."""
    tried, start = [], town.now
    for _ in range(round(minutes * 60)):
        if await pointers.step(town.now):
            tried.append((town.now - start) // 1000)
        await town.pass_by(1000)
    return tried


async def test_what_a_webhook_points_to_is_fetched_and_told_as_if_it_had_told_it(town, pointers, shop, heard):
    assert await pointers.step(town.now) == 1
    assert shop.resolved == [("p/1", {"path": "/messages/1"})]
    (told,) = town.lines
    assert (told.message, told.via, told.history) == ("m1", "push", None)
    assert await town.store.jobs("pointer", 10) == []
    assert heard == ["done"]
    assert await pointers.step(town.now + DAY) == 0


async def test_it_is_fetched_again_less_and_less_often_until_it_is_there(town, pointers, shop, heard):
    shop.outcomes = [UncertainError("500")] * 6 + [[shop.message(1, town.now)]]
    assert await work(town, pointers, 10) == [0, 5, 15, 35, 75, 155, 315]
    assert heard == ["delayed"] * 6 + ["done"]
    assert [one.message for one in town.lines] == ["m1"]


async def test_a_platform_that_wants_to_be_left_alone_is(town, pointers, shop):
    shop.outcomes = [BusyError("too much", 90), [shop.message(1, town.now)]]
    assert await work(town, pointers, 3) == [0, 90]


async def test_after_a_day_it_is_given_up_and_kept_to_be_looked_at(town, pointers, shop, heard):
    shop.outcomes = [UncertainError("500 for anna@example.com")]
    with structlog.testing.capture_logs() as lines:
        while not await town.store.jobs("pointer", 10, failed=True):
            await pointers.step(town.now)
            await town.pass_by(10 * MINUTE)
    (job,) = await town.store.jobs("pointer", 10)
    assert job.failed_at - job.at in range(DAY, DAY + 20 * MINUTE)
    assert "anna" not in job.reason
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "what a webhook pointed to is given up"
    ]
    assert heard[-1] == "failed"


async def test_what_the_platform_refuses_is_soon_given_up(town, pointers, shop):
    shop.outcomes = [RefusedError("404", "404")]
    assert await work(town, pointers, 10) == [0, 5, 15, 35, 75]
    (job,) = await town.store.jobs("pointer", 10, failed=True)
    assert job.reason == "404"


async def test_what_cannot_be_read_is_journalled_as_rejected(town, pointers, shop, heard):
    shop.outcomes = [UnreadableError("'text' is missing")]
    await pointers.step(town.now)
    (told,) = town.lines
    assert isinstance(told, Rejected)
    assert told.reason == "'text' is missing"
    assert b"p/1" in told.raw
    assert await town.store.jobs("pointer", 10) == []
    assert heard == ["failed"]


async def test_lost_authorisation_is_told_once_and_so_is_its_end(town, pointers, shop):
    denied = DeniedError("the token ran out")
    shop.outcomes = [denied, denied, denied, [shop.message(1, town.now)]]
    await work(town, pointers, 2)
    assert [one.status for one in town.lines if isinstance(one, Auth)] == ["expired", "ok"]
    assert [one.message for one in town.lines if isinstance(one, Message)] == ["m1"]


async def test_an_answer_that_never_comes_and_a_fault_of_a_connector_hold_nobody_up(town, pointers, shop):
    other = town.bound(Postcards, account="shop-2")
    broken = town.bound(Postcards, account="shop-3")
    for bound in (other, broken):
        await town.arrivals.take(bound, [Pointer(id="p")])
    shop.outcomes, broken.outcomes = ["hang"], [KeyError("data")]
    other.outcomes = [[other.message(2, town.now)]]
    assert await pointers.step(town.now) == 3
    assert [one.message for one in town.lines] == ["m2"]
    reasons = {job.account: job.reason for job in await town.store.jobs("pointer", 10)}
    assert "did not answer" in reasons["shop-1"]
    assert "KeyError" in reasons["shop-3"]


async def test_what_belongs_to_a_channel_that_is_bound_no_more_is_given_up(town, pointers, shop):
    town.connectors.clear()
    await pointers.step(town.now)
    (job,) = await town.store.jobs("pointer", 10, failed=True)
    assert "bound no more" in job.reason
    assert shop.resolved == []


async def test_a_pointer_of_a_process_that_died_is_followed_by_another(town, pointers, shop):
    await town.store.claim_jobs("pointer", town.now, town.now + 120_000, 10)
    assert await pointers.step(town.now) == 0
    await town.pass_by(120_000)
    assert await pointers.step(town.now) == 1
    assert shop.resolved
