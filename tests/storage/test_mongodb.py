"""The MongoDB adapter passes the contract on a real server, and fails the way the port says."""

from __future__ import annotations

import asyncio
import gc
import socket
import traceback
import warnings

import pytest
from pymongo import AsyncMongoClient

from actors.effects import Effects, HopReached
from actors.errors import ConfigurationError, RejectedError
from storage.errors import StoreBusyError
from storage.mongodb import MongoStore, connection, finder, message_search, schema
from storage.records import Batch, ConversationFilter, PartitionMark, StateRow
from storage.search_records import MessageSearch
from tests.storage.contract import StoreContract
from tests.storage.flushes import NOW, Flushes, everything, stored

pytestmark = pytest.mark.services

KEY = "shopee/shop/c1"
PATIENT_S = 60
"""The machine may be busy with other tests."""


@pytest.fixture
async def store(mongo):
    found = MongoStore(mongo.fresh(), timeout_s=PATIENT_S)
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def second(store):
    found = MongoStore(store._db.address.url, timeout_s=PATIENT_S)
    await found.open()
    yield found
    await found.close()


class TestMongoStore(StoreContract):
    """Every test of the contract, on a database of its own."""


async def opened(url, timeout_s=PATIENT_S):
    found = MongoStore(url, timeout_s=timeout_s)
    await found.open()
    return found


async def test_everything_is_there_after_a_restart(mongo):
    url = mongo.fresh()
    first = await opened(url)
    save = Flushes(first)
    await save(stored("m1", text="上海"), conversations=[StateRow(KEY, b"s", 9)])
    await first.close()
    second = await opened(url)
    save.store = second
    await save(stored("m2", at=NOW + 1, text="北京"), stored("m1", "c2", text="东京"))
    assert [row.message for row in (await second.messages(KEY, 5)).items] == ["m1", "m2"]
    assert await second.armed(0) == [(9, KEY)]
    for query, name in (("上海", "c1"), ("北京", "c1"), ("东京", "c2")):
        found = await second.conversations(ConversationFilter(q=query), 5)
        assert [row.conversation for row in found.items] == [name]
    await second.close()


async def test_a_server_killed_in_the_middle_of_a_save_is_busy_and_the_same_save_then_ends(mongo, monkeypatch):
    monkeypatch.setattr(connection, "OPS_A_COMMAND_ELSEWHERE", 25)
    url = mongo.fresh()
    store, onlooker = await opened(url, timeout_s=3), AsyncMongoClient(url)
    flush = _flush(1, *[stored(f"m{n}", f"c{n % 7}", text="some words") for n in range(1_000)])
    saving = asyncio.create_task(store.save(flush))
    while not await onlooker.get_default_database().messages.find_one():  # noqa: ASYNC110 # only the database knows
        await asyncio.sleep(0.001)
    await asyncio.to_thread(mongo.kill)
    await onlooker.close()
    with pytest.raises(StoreBusyError, match="out of reach"):
        await saving
    with pytest.raises(StoreBusyError):
        await store.save(flush)
    await asyncio.to_thread(mongo.start)
    await _patiently(store.save, flush)
    assert await store.marks() == [flush.mark]
    assert (await store.counts())["shopee/shop"]["stored"] == 1_000
    assert sum(row.messages for row in (await store.conversations(ConversationFilter(), 50)).items) == 1_000
    assert await store.check() == []
    await store.close()


async def test_a_server_that_does_not_answer_is_busy_within_the_time_out(mongo):
    store = await opened(mongo.fresh(), timeout_s=1)
    await asyncio.to_thread(mongo.pause)
    try:
        for call in (store.message(KEY, "m1"), store.save(_flush(1, stored("m1"))), store.beats(0)):
            with pytest.raises(StoreBusyError):
                await asyncio.wait_for(call, 30)
    finally:
        await asyncio.to_thread(mongo.resume)
    await _patiently(store.marks)
    await store.close()


async def test_many_processes_open_an_empty_database_at_once(mongo):
    url = mongo.fresh()
    stores = await asyncio.gather(*(opened(url) for _ in range(6)))
    assert await stores[0].check() == []
    assert {row["_id"] async for row in stores[0]._db._client.get_default_database().meta.find()} == {"schema"}
    for store in stores:
        await store.close()


async def test_a_newer_schema_is_refused(mongo):
    url = mongo.fresh()
    store = await opened(url)
    await store._db._client.get_default_database().meta.update_one({"_id": "schema"}, {"$set": {"version": 999}})
    await store.close()
    with pytest.raises(ConfigurationError, match="newer Weir"):
        await store.open()


async def test_an_older_schema_is_migrated_once_step_by_step(mongo, monkeypatch):
    async def step(db):
        await db.meta.update_one({"_id": "steps"}, {"$inc": {"done": 1}}, upsert=True)

    url = mongo.fresh()
    await (await opened(url)).close()
    known = len(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    for _ in range(2):
        store = await opened(url)
        rows = [row async for row in store._db._client.get_default_database().meta.find()]
        assert sorted(rows, key=lambda row: row["_id"]) == [
            {"_id": "schema", "version": known + 2},
            {"_id": "steps", "done": 1},
        ]
        await store.close()


async def test_another_programs_database_is_left_alone(mongo):
    url = mongo.fresh()
    client = AsyncMongoClient(url)
    await client.get_default_database().theirs.insert_one({"x": 1})
    await client.close()
    with pytest.raises(ConfigurationError, match="another program's data"):
        await MongoStore(url).open()


async def test_a_missing_index_is_told_and_made_at_the_next_start(mongo):
    url = mongo.fresh()
    store = await opened(url)
    index = schema.INDEXES[-1]
    await store._db._client.get_default_database()[index.collection].drop_index(index.name)
    assert [index.name in problem for problem in await store.check()] == [True]
    await store.close()
    await store.open()
    assert await store.check() == []
    await store.close()


async def test_a_closed_store_says_so(mongo):
    with pytest.raises(ConfigurationError, match="open"):
        await MongoStore(mongo.url).mark(0)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://weir:s3cret@no-such-host.invalid:27017/weir",
        "mongodb://weir:s3cret@:/weir",
        "mongodb://weir:s3cret@h:port/weir",
        "mongodb://weir:s3cret@h/we.ir",
        "mongodb://weir:s3cret@127.0.0.1/weir?ssl=true&tls=false",
        "mongodb://weir:s3:cret@127.0.0.1/weir",
        "http://weir:s3cret@h/weir",
    ],
)
async def test_a_wrong_address_is_a_setting_to_mend_and_never_shows_the_password(url):
    with pytest.raises(ConfigurationError) as told:
        await MongoStore(url, timeout_s=1).open()
    shown = "".join(traceback.format_exception(told.value)) + str(told.value)
    assert "s3" not in str(told.value)
    assert "s3cret" not in shown.replace(url, "")
    _let_go()


async def test_a_server_that_is_away_is_busy_and_named_without_the_password():
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    with pytest.raises(StoreBusyError, match=f"127.0.0.1:{port}/shop") as told:
        await MongoStore(f"mongodb://weir:s3cret@127.0.0.1:{port}/shop", timeout_s=1).open()
    assert "s3cret" not in str(told.value)
    _let_go()


def _let_go():
    """The driver leaves a socket behind that was connecting when its client was closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_the_database_is_weir_where_the_url_names_none():
    assert MongoStore("mongodb://h:1").place == "mongodb://h:1/weir"
    assert MongoStore("mongodb+srv://u:p@h/shop?w=2").place == "mongodb+srv://h/shop"


async def test_what_no_database_could_hold_is_refused_before_anything_is_written(store):
    for effect in (stored("m1", text="x" * (15 << 20)), stored("m1", sent_at=1 << 63)):
        with pytest.raises(RejectedError):
            await store.save(_flush(1, effect))
    assert await store.marks() == []
    await store.save(_flush(1, stored("m1")))


async def test_a_frequent_word_is_found_by_walking_from_the_newest_conversation_on(store, monkeypatch):
    monkeypatch.setattr(finder, "PAGE", 3)
    effects = [stored("m", f"c{n}", at=NOW + n, text="我要退款 please" if n % 2 else "hello") for n in range(20)]
    await Flushes(store)(*effects)
    for query in ("please", "要退款"):
        where = ConversationFilter(q=query)
        gathered = await everything(lambda limit, cursor, w=where: store.conversations(w, limit, cursor), 4)
        with monkeypatch.context() as patch:
            patch.setattr(finder, "MOST_GATHERED", 2)
            walked = await everything(lambda limit, cursor, w=where: store.conversations(w, limit, cursor), 4)
        assert walked == gathered
        assert [row.conversation for row in walked] == [f"c{n}" for n in reversed(range(1, 20, 2))]


async def test_messages_with_a_word_are_the_same_in_whatever_steps_they_are_walked(mongo, monkeypatch):
    store = await opened(mongo.fresh())
    save = Flushes(store)
    await save(
        *[stored(f"m{n}", f"c{n % 3}", at=NOW + n, text="我要退款 please" if n % 2 else "hi") for n in range(20)]
    )
    await save(HopReached("shopee/shop/c2", "m8", "edited", NOW + 50, "please 要退款"))
    names = [f"m{n}" for n in reversed(range(20)) if n % 2 or n == 8]
    for query in ("please", "要退款"):
        for step, most in ((100, 30), (2, 30), (2, 1)):
            monkeypatch.setattr(message_search, "STEP", step)
            monkeypatch.setattr(message_search, "MOST_STEPS", most)
            where = MessageSearch(q=query)
            hits = await everything(lambda limit, cursor, w=where: store.search_messages(w, limit, cursor), 4)
            assert [hit.row.message for hit in hits] == names
    await store.close()


async def test_the_index_of_words_without_the_time_goes(mongo, monkeypatch):
    url = mongo.fresh()
    monkeypatch.setattr(schema, "INDEXES", (*schema.INDEXES, schema.Index("messages", (("words", 1),))))
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", ())
        await (await opened(url)).close()
    monkeypatch.undo()
    store = await opened(url)
    with store._db.talk() as db:
        assert "words_1" not in await db.messages.index_information()
    assert await store.check() == []
    await store.close()


def _flush(version, *effects):
    collected = Effects()
    collected.messages.extend(effects)
    return Batch(mark=PartitionMark(partition=0, version=version, applied=version), effects=collected)


async def _patiently(call, *arguments):
    for _ in range(100):
        try:
            return await call(*arguments)
        except StoreBusyError:
            await asyncio.sleep(0.1)
    return await call(*arguments)
