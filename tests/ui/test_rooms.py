"""Who gets what is pushed."""

import asyncio

import pytest

from ui import live
from ui.live import Rooms, changed, relay


def test_a_page_watches_until_it_leaves():
    rooms = Rooms()
    rooms.enter("monitor", "page")
    rooms.enter("monitor", "page")
    assert rooms.watchers("monitor") == {"page"}
    rooms.leave_all("page")
    assert rooms.watchers("monitor") == frozenset()


def test_a_closed_page_is_forgotten_everywhere():
    rooms = Rooms()
    rooms.opened("ada", "page")
    rooms.enter("monitor", "page")
    rooms.closed("ada", "page")
    assert rooms.watchers("monitor") == frozenset()
    assert rooms.clients_of("ada") == frozenset()


class BreakingBus:
    """Breaks once, then delivers."""

    def __init__(self):
        self.broken = False

    async def subscribe(self, topic):
        if not self.broken:
            self.broken = True
            raise ConnectionError(topic)
        yield b'{"seq":1}'
        await asyncio.Event().wait()


@pytest.fixture
def sent(monkeypatch):
    messages = asyncio.Queue()

    async def emit(event, data, clients):
        await messages.put((event, data, set(clients)))

    monkeypatch.setattr(live.compat, "emit", emit)
    monkeypatch.setattr(live, "RETRY_S", 0)
    return messages


async def test_a_broken_bus_is_tried_again_and_one_message_goes_to_all_who_watch(sent):
    rooms = Rooms()
    rooms.enter("monitor", "a")
    rooms.enter("monitor", "b")
    task = asyncio.create_task(relay(BreakingBus(), rooms, "monitor"))
    first = await sent.get()
    task.cancel()
    assert first == ("weir", {"topic": "monitor", "data": {"seq": 1}}, {"a", "b"})
    assert sent.empty()


def test_only_what_changed_is_pushed():
    before = {"seq": 1, "at": 10, "sla": [1], "heat": {"cells": [[1]]}}
    now = {"seq": 2, "at": 10, "sla": [1], "heat": {"cells": [[2]]}, "new": None}
    assert changed(before, now) == {"seq": 2, "at": 10, "heat": {"cells": [[2]]}, "new": None}
    assert changed({}, now) == now
