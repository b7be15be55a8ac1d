"""A process that sends replies is killed at every single point where it waits for something; others go on.

What the platform got is the truth that everything is held to: nothing twice where it does not know our ids, nothing
lost, nothing told wrongly, and whatever nobody can know is shown as that.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from actors.errors import RetriableError
from actors.events import Message, Receipt
from connectors.contract.connector import Capabilities
from services.people.permissions import Caller
from services.replies.outbox import Outbox
from services.replies.replies import Ask, Replies
from tests.services_layer.postal import KEY, Keyed, Postal, echo

AGENT = Caller(name="mei", role="agent", via="session")
POINTS = 40


class Killer:
    """Lets so many calls through, then the process is dead: nothing it does has any effect."""

    def __init__(self, calls, *, after):
        self.left = calls
        self.after = after
        """Whether the last call still has its effect, whose answer is lost."""

    @property
    def is_dead(self):
        return self.left <= 0

    async def through(self, call, *args, **named):
        if self.is_dead:
            raise asyncio.CancelledError
        self.left -= 1
        if not self.is_dead:
            return await call(*args, **named)
        if self.after:
            await call(*args, **named)
        raise asyncio.CancelledError


class Mortal:
    """A part of the process: each of its coroutines is a point where the process may die."""

    def __init__(self, part, killer):
        self._part, self._killer = part, killer

    def __getattr__(self, name):
        found = getattr(self._part, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args, **named):
            return await self._killer.through(found, *args, **named)

        return call


async def lives_until(killer, desk, number):
    """A process that takes a reply in and sends it, until it is killed; whether it got to the end."""
    store, gateway = Mortal(desk.store, killer), Mortal(desk.gateway, killer)
    office = Mortal(desk.office, killer)
    replies = Replies(store, gateway, desk.office.find, now=desk.clock)
    outbox = Outbox(store, gateway, desk.office.find, lambda _: office, who="mortal", now=desk.clock)
    with suppress(asyncio.CancelledError):
        await replies.ask(AGENT, KEY, Ask(text=f"text {number}"), f"key {number}")
        await outbox.step()
    return not killer.is_dead


async def survivors_go_on(desk, number):
    """The client repeats what it got no answer to; another process sends, for more than two minutes."""
    survivor = desk.another_outbox()
    row = await desk.replies.ask(AGENT, KEY, Ask(text=f"text {number}"), f"key {number}")
    for seconds in (1, 12, 60, 60, 5, 60, 60):
        desk.clock.ms += seconds * 1000
        with suppress(RetriableError):
            await survivor.step()
    return await desk.row(row)


async def held_to_the_truth(desk, row, number):
    got = Counter(desk.office.texts)[f"text {number}"]
    told = [receipt.status for receipt in await desk.logged(Receipt) if receipt.message == row.id]
    shown = [message for message in await desk.logged(Message) if message.message == row.id]
    assert shown, "in the conversation"
    assert len({receipt.event for receipt in await desk.logged(Receipt) if receipt.message == row.id}) == len(set(told))
    if row.state == "sent":
        assert (got >= 1, set(told), row.told) == (True, {"accepted"}, True)
    else:
        assert (row.state, told) == ("unknown", [])
    return got


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
async def test_a_process_that_dies_at_any_point_sends_nothing_twice_and_loses_nothing(desk, after):
    office, whole, states = desk.office, False, Counter()
    send = office.call

    async def posts(request):
        """The platform shows in its tray what it got."""
        answer = await send(request)
        if request.method == "POST":
            text = office.texts[-1]
            office.tray.append(echo(f"p{len(office.sent)}", desk.clock.ms, text))
        return answer

    office.call = posts
    for calls in range(1, POINTS):
        whole = await lives_until(Killer(calls, after=after), desk, calls)
        row = await survivors_go_on(desk, calls)
        got = await held_to_the_truth(desk, row, calls)
        assert got <= 1
        assert (got == 1) == (row.state == "sent"), "what the tray shows is found"
        states[row.state] += 1
    assert whole, "the last process lived to its end: every point was tried"
    assert states["sent"] > states["unknown"] > 0


async def test_where_the_platform_knows_our_ids_nothing_stays_unknown(desk):
    for after in (False, True):
        for calls in range(1, POINTS):
            number = calls + 1000 * after
            desk.office.bind(Keyed)
            await lives_until(Killer(calls, after=after), desk, number)
            row = await survivors_go_on(desk, number)
            assert await held_to_the_truth(desk, row, number) >= 1
            assert row.state == "sent"
    ids = {letter["text"]: letter["id"] for letter in desk.office.sent}
    assert len(ids) == 2 * (POINTS - 1), "one id for each reply, however often it went out"
    assert {letter["id"] for letter in desk.office.sent} == set(ids.values())


async def test_echoes_settle_what_a_dead_process_left(desk):
    """Without any history to look into: the platform tells of what it got by itself."""

    class Blind(Postal):
        capabilities = Capabilities(sends=True, echoes=True)

    desk.office.bind(Blind)
    for calls in range(1, POINTS):
        sent_before = len(desk.office.sent)
        await lives_until(Killer(calls, after=True), desk, calls)
        if len(desk.office.sent) > sent_before:
            shown = echo(f"p{len(desk.office.sent)}", desk.clock.ms + 1_000, f"text {calls}")
            for event in await desk.echoes.settled(desk.office.connector, [shown]):
                assert isinstance(event, Receipt)
        row = await survivors_go_on(desk, calls)
        got = Counter(desk.office.texts)[f"text {calls}"]
        assert got <= 1
        assert (got == 1) == (row.state == "sent")
