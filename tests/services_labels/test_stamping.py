"""Messages are labelled as they are saved: in the same flush, once, and whatever happens the messages are safe."""

from __future__ import annotations

import asyncio

import pytest

from actors.effects import Effects
from actors.events import Message, Sender
from services.labels.labelling import Labeller
from services.labels.stamping import PORTION, Stamping
from storage.label_records import ConversationLabelled
from storage.records import Batch, PartitionMark
from tests.storage.flushes import stored
from tests.streams.product import Product

KEY = "shopee/shop/c1"


@pytest.fixture(scope="module")
def labeller():
    return Labeller()


@pytest.fixture
def stamp(labeller):
    stamping = Stamping(lambda: labeller)

    async def stamped(*effects):
        batch = Batch(mark=PartitionMark(partition=0, version=1), effects=Effects())
        batch.effects.messages.extend(effects)
        await stamping(batch)
        return batch.labelled

    return stamped


@pytest.fixture
async def product(data_dir):
    """Makes the product with something that adds to its batches."""
    made = []

    async def start(enrich, **more):
        made.append(await Product(data_dir, enrich=enrich, **more).start())
        return made[-1]

    yield start
    for one in made:
        await one.stop()


async def test_what_a_customer_writes_is_labelled(stamp):
    assert await stamp(stored("m1", text="I want a refund")) == [ConversationLabelled(KEY, ("refund",), "en")]


@pytest.mark.parametrize(
    "fields",
    [
        {"direction": "out"},
        {"history": True},
        {"merged_into": "m0"},
        {"text": None},
        {"text": ""},
        {"text": "👍"},
        {"sender": Sender(id="a", role="agent")},
    ],
)
async def test_what_is_no_word_of_a_customer_now_is_not(stamp, fields):
    assert await stamp(stored("m1", **({"text": "I want a refund"} | fields))) == []


async def test_the_texts_of_one_conversation_are_put_together(stamp):
    found = await stamp(
        stored("m1", text="ich wohne in der nähe vom bahnhof"),
        stored("m2", text="I want my money back"),
        stored("m3", text="or I will call my lawyer"),
        stored("m4", text="ok"),
        stored("m5", "c2", text="ich wohne in der nähe vom bahnhof"),
    )
    assert [row.key for row in found] == [KEY, "shopee/shop/c2"]
    assert set(found[0].labels) == {"refund", "complaint"}
    assert (found[0].lang, found[0].sensitive) == ("en", True)
    assert (found[1].labels, found[1].lang) == (("other",), "de")


async def test_no_language_is_guessed_where_the_platform_told_one(stamp):
    assert (await stamp(stored("m1", text="I want a refund", lang="en")))[0].lang is None


async def test_others_get_their_turn_while_many_texts_are_looked_at(stamp):
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await stamp(*[stored(f"m{n}", text=f"refund number {n} please") for n in range(PORTION * 10)])
    counting.cancel()
    assert turns >= 9


async def test_labels_are_saved_with_the_messages_and_once(product, labeller):
    running = await product(Stamping(lambda: labeller))
    texts = ["Where is my parcel?", "ok", "Where is my parcel?", "vou no Procon se não devolverem meu dinheiro"]
    await running.gateway.submit([said(n, text) for n, text in enumerate(texts)])
    await running.runtime.settled()
    row = await running.store.conversation(KEY)
    assert {"logistics", "refund"} <= set(row.labels)
    assert (row.guessed_lang, row.sensitive) == ("pt", True)
    await running.stop()
    await running.start()
    await running.gateway.submit([said(0, texts[0])])
    await running.runtime.settled()
    assert (await running.store.conversation(KEY)).labels == row.labels


async def test_a_fault_in_labelling_keeps_no_message_back(product, caplog):
    async def faulty(_batch):
        raise ValueError("a broken word list")

    running = await product(faulty)
    await running.gateway.submit([said(1, "Where is my parcel?")])
    await running.runtime.settled()
    row = await running.store.conversation(KEY)
    assert (row.messages, row.labels) == (1, [])
    assert "saved without what was to be added" in caplog.text


async def test_a_partition_that_is_let_go_meanwhile_is_not_saved(product):
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_batch):
        reached.set()
        await go_on.wait()

    running = await product(slow, partitions=1)
    await running.gateway.submit([said(1, "Where is my parcel?")])
    await reached.wait()
    runtime = running.runtime
    runtime._persister.abandon(runtime._partitions[0])
    go_on.set()
    async with runtime._partitions[0].saving:
        assert running.store.saves == 0


def said(number, text):
    return Message(
        platform="shopee", account="shop", conversation="c1", message=f"m{number}", at=None,
        sent_at=1_760_000_000_000 + number, direction="in", text=text, sender=Sender(id="u", role="customer"),
    )  # fmt: skip
