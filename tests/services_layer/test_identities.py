"""One person under several names: what comes under any of them is kept under the one that was heard first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from actors.events import Message, Receipt, Sender
from actors.orders import ForgetCustomer
from connectors.contract.connector import Binding, Connector, OnePerson
from services.arrivals.arrivals import Arrivals
from storage.sqlite import SqliteStore
from tests.storage.flushes import NOW

NUMBER, LID = "555@c.us", "abc@lid"


class Phone(Connector):
    platform = "whatsapp"
    aliases = True

    def verify(self, request):
        del request

    def parse(self, request):
        del request
        return ()


@dataclass
class Log:
    told: list = field(default_factory=list)

    def now(self):
        return NOW

    async def submit(self, entries):
        self.told += entries


@pytest.fixture
async def store(data_dir):
    opened = SqliteStore(data_dir / "store.db")
    await opened.open()
    yield opened
    await opened.close()


def phone(account="shop", kind=Phone):
    return kind(Binding(account=account, url="https://weir.example"))


def says(name, message, text="hi", conversation=None):
    return Message(
        platform="whatsapp",
        account="shop",
        conversation=conversation or name,
        message=message,
        sent_at=NOW,
        direction="in",
        text=text,
        sender=Sender(id=name, role="customer"),
    )


def places(log):
    return [(one.conversation, getattr(one, "message", None)) for one in log.told]


async def test_what_comes_under_another_name_is_told_in_the_same_conversation(store):
    log = Log()
    arrivals = Arrivals(log, store)
    await arrivals.take(phone(), [OnePerson((NUMBER, LID)), says(NUMBER, "M1")])
    await arrivals.take(phone(), [OnePerson((LID,)), says(LID, "M1")])
    read = Receipt(platform="whatsapp", account="shop", conversation=LID, message="A1", status="read", event="k")
    await Arrivals(log, store).take(phone(), [read])
    assert places(log) == [(NUMBER, "M1"), (NUMBER, "M1"), (NUMBER, "A1")]
    assert [one.sender.id for one in log.told[:2]] == [NUMBER, NUMBER]
    assert log.told[1].extra == {"alias": LID}
    assert [one.alias for one in await store.aliases("whatsapp", "shop", LID)] == [NUMBER, LID]


async def test_whichever_name_was_heard_first_is_kept(store):
    log = Log()
    arrivals = Arrivals(log, store)
    await arrivals.take(phone(), [OnePerson((LID,)), says(LID, "M1")])
    await arrivals.take(phone(), [OnePerson((NUMBER, LID)), says(NUMBER, "M2")])
    await arrivals.take(phone(), [OnePerson((NUMBER,)), says(NUMBER, "M3")])
    assert places(log) == [(LID, "M1"), (LID, "M2"), (LID, "M3")]


async def test_two_names_that_were_each_heard_alone_stay_apart(store):
    log = Log()
    arrivals = Arrivals(log, store)
    for name in (LID, NUMBER):
        await arrivals.take(phone(), [OnePerson((name,)), says(name, "M1")])
    await arrivals.take(phone(), [OnePerson((NUMBER, LID)), says(NUMBER, "M2")])
    assert places(log) == [(LID, "M1"), (NUMBER, "M1"), (NUMBER, "M2")]


async def test_a_group_is_a_conversation_of_its_own_whoever_speaks(store):
    log = Log()
    arrivals = Arrivals(log, store)
    said = [says(NUMBER, "M1", conversation="group"), says(LID, "M2", conversation="group")]
    await arrivals.take(phone(), [OnePerson((NUMBER, LID)), *said])
    assert places(log) == [("group", "M1"), ("group", "M2")]
    assert [one.sender.id for one in log.told] == [NUMBER, NUMBER]


async def test_all_processes_that_hear_of_a_person_at_once_use_the_same_name(store):
    logs = [Log() for _ in range(6)]
    names = ((NUMBER, LID), (LID, NUMBER))
    await asyncio.gather(
        *(
            Arrivals(log, store).take(phone(), [OnePerson(names[at % 2]), says(names[at % 2][0], f"M{at}")])
            for at, log in enumerate(logs)
        )
    )
    await Arrivals(logs[0], store).take(phone(), [OnePerson((NUMBER, LID)), says(LID, "last"), says(NUMBER, "last")])
    after = {one.conversation for one in logs[0].told[-2:]}
    assert after == set((await store.canonical("whatsapp", "shop", [NUMBER, LID])).values())
    assert {one.conversation for log in logs for one in log.told} <= after
    assert len(after) == 1


async def test_channels_know_nothing_of_each_others_people(store):
    log = Log()
    arrivals = Arrivals(log, store)
    await arrivals.take(phone(), [OnePerson((NUMBER, LID)), says(NUMBER, "M1")])
    await arrivals.take(phone("other"), [OnePerson((LID,)), says(LID, "M1")])
    assert places(log) == [(NUMBER, "M1"), (LID, "M1")]


async def test_a_connector_that_knows_of_no_aliases_asks_nothing(store):
    class Plain(Phone):
        aliases = False

    log = Log()
    await store.close()  # a question would be an error
    await Arrivals(log, store).take(phone(kind=Plain), [OnePerson((NUMBER, LID)), says(LID, "M1")])
    await store.open()
    assert places(log) == [(LID, "M1")]


async def test_who_wants_to_be_forgotten_is_forgotten_by_every_name(store):
    arrivals = Arrivals(Log(), store)
    await arrivals.take(phone(), [OnePerson((NUMBER, LID))])
    await arrivals.take(phone(), [ForgetCustomer(platform="whatsapp", account="shop", contact=LID)])
    assert await store.aliases("whatsapp", "shop", NUMBER) == []
