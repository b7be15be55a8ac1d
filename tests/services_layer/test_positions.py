"""A platform that names a time in place of messages: all of ours that it covers have the receipt, each once."""

from __future__ import annotations

import pytest

from actors.effects import HopReached
from actors.events import Receipt, Sender
from connectors.contract.calling import UncertainError
from connectors.contract.connector import UpTo
from services.arrivals.arrivals import Arrivals
from tests.services_layer.postal import CONVERSATION, KEY


@pytest.fixture
def told(desk):
    """`told(status, at)` has the platform tell a position; the receipts that come of it, oldest first."""
    arrivals = Arrivals(desk.gateway, desk.store, echoes=desk.echoes)

    async def tell(status, at, conversation=CONVERSATION):
        before = len(await desk.logged(Receipt))
        taken = await arrivals.take(desk.office.connector, [UpTo(conversation=conversation, status=status, at=at)])
        found = (await desk.logged(Receipt))[before:]
        assert taken.accepted == len(found)
        return [(one.message, one.status) for one in found]

    return tell


async def test_every_reply_that_the_platform_has_until_then_is_read(desk, told):
    first, second = await desk.sends("one"), await desk.sends("two")
    until = desk.clock.ms
    await desk.later(60)
    third = await desk.sends("three")
    assert sorted(await told("read", until)) == sorted([(first.id, "read"), (second.id, "read")])
    assert (await desk.row(first)).heard == ["read"]
    assert await told("read", until) == [], "what is known is not told again"
    assert await told("delivered", until) == [], "who has read it has it"
    assert await told("read", desk.clock.ms) == [(third.id, "read")]


async def test_what_is_delivered_first_and_read_later_is_told_of_twice(desk, told):
    row = await desk.sends("one")
    assert await told("delivered", desk.clock.ms) == [(row.id, "delivered")]
    assert await told("read", desk.clock.ms) == [(row.id, "read")]
    assert (await desk.row(row)).heard == ["delivered", "read"]


async def test_what_nobody_knows_to_be_sent_and_other_conversations_are_left_alone(desk, told):
    desk.office.plays(UncertainError("no answer"))
    doubted = await desk.sends("one")
    assert await told("read", desk.clock.ms + 1_000) == []
    assert (await desk.row(doubted)).state == "unknown"
    assert await told("read", desk.clock.ms, "another") == []


async def test_what_colleagues_wrote_at_the_platform_is_read_too_and_what_the_customer_wrote_is_not(desk, told):
    agent = Sender(id="a", name="Bo", role="agent")
    for name in ("p1", "p2", "p3"):
        desk.clock.ms += 1_000
        await desk.hears(name, direction="out", sender=agent, text=f"from the app {name}")
    await desk.keeps(HopReached(KEY, "p1", "read", desk.clock.ms))
    assert await told("read", desk.clock.ms - 1_000) == [("p2", "read")]
