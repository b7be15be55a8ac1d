"""The SQLite adapter passes the contract, and fails the way the port says."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.effects import HopReached
from actors.errors import ConfigurationError
from storage.channel_records import ReplyFilter
from storage.errors import StoreBusyError, StoreDamagedError, StoreFullError
from storage.inbox_records import InboxFilter
from storage.records import AnomalyFilter, AuditRow, ConversationFilter, Mute, StateRow
from storage.sqlite import SqliteStore, conversation_search, schema
from tests.storage.archives import Kept
from tests.storage.contract import StoreContract
from tests.storage.flushes import NOW, Flushes, anomaly, everything, stored

KEY = "shopee/shop/c1"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def store(tmp_path):
    found = SqliteStore(tmp_path / "data" / "store.db", busy_ms=200)
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def second(store):
    await store._db.write(lambda connection: connection.execute("PRAGMA busy_timeout = 20000").fetchall())
    found = SqliteStore(store._db.path, busy_ms=20_000)
    await found.open()
    yield found
    await found.close()


class TestSqliteStore(StoreContract):
    """Every test of the contract, on a file of its own."""


async def test_everything_is_there_after_a_restart(tmp_path):
    first = SqliteStore(tmp_path / "store.db")
    await first.open()
    save = Flushes(first)
    await save(stored("m1", text="上海"), conversations=[StateRow(KEY, b"s", 9)])
    await first.close()
    second = SqliteStore(tmp_path / "store.db")
    await second.open()
    save.store = second
    await save(stored("m2", at=NOW + 1, text="北京"), stored("m1", "c2", text="东京"))
    assert [row.message for row in (await second.messages(KEY, 5)).items] == ["m1", "m2"]
    assert await second.armed(0) == [(9, KEY)]
    for query, name in (("上海", "c1"), ("北京", "c1"), ("东京", "c2")):
        found = await second.conversations(ConversationFilter(q=query), 5)
        assert [row.conversation for row in found.items] == [name]
    await second.close()


async def test_only_the_owner_may_read_the_files(store, tmp_path):
    await Flushes(store)(stored("m1"))
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_a_store_without_a_path_leaves_nothing_behind():
    store = SqliteStore()
    await store.open()
    await Flushes(store)(stored("m1"))
    folder = store._db.path.parent
    assert folder.exists()
    await store.close()
    assert not folder.exists()


async def test_a_locked_database_is_busy_and_works_again_when_free(store, tmp_path):
    save = Flushes(store)
    await save(stored("m1"))
    other = sqlite3.connect(tmp_path / "data" / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match=r"store\.db"):
        await save(stored("m2", "c2"))
    assert await store.message(KEY, "m1") is not None
    other.execute("ROLLBACK")
    other.close()
    await save(stored("m2", "c2"))
    assert (await store.conversation("shopee/shop/c2")).messages == 1


async def test_a_full_disk_writes_nothing_of_a_flush_and_goes_on_when_there_is_space(store):
    save = Flushes(store)
    await save(stored("m1"))

    def limit(connection, pages):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await store._db.write(limit, 1)
    with pytest.raises(StoreFullError, match="free space"):
        await save(*[stored(f"n{i}", f"full{i}", text="x" * 500) for i in range(2_000)], anomaly(1))
    assert (await store.mark(0)).version == 1
    assert (await store.counts())["shopee/shop"]["stored"] == 1
    assert (await store.anomalies(AnomalyFilter(), 5)).items == []
    await store._db.write(limit, 1_000_000)
    await save(stored("m2", "full1"))
    assert (await store.conversation("shopee/shop/full1")).messages == 1
    assert await store.check() == []


async def test_what_a_message_is_told_while_it_is_archived_is_archived_too(store):
    save = Flushes(store)
    await save(stored("m1", text="first"), stored("m2"))

    class Slow(Kept):
        async def put(self, rows):
            await super().put(rows)
            if len(self.chunks) == 1:
                await save(HopReached(KEY, "m1", "edited", NOW + 5, "second"))

    archive = Slow()
    assert await store.prune(NOW + 500, archive) == 2
    assert [[(row.message, row.text) for row in chunk] for chunk in archive.chunks] == [
        [("m1", "first"), ("m2", None)],
        [("m1", "second")],
    ]
    assert (await store.counts())["shopee/shop"]["pruned"] == 2


async def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "store.db"
    path.write_bytes(b"this is not a database " * 500)
    store = SqliteStore(path)
    with pytest.raises(StoreDamagedError, match=r"store\.db.*backup"):
        await store.open()


async def test_a_damaged_page_is_found_by_the_check_and_named_when_read(tmp_path):
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    await store.open()
    await Flushes(store)(*[stored(f"m{n}", f"c{n}", text="word " * 50) for n in range(2_000)])
    await store.close()
    data = bytearray(path.read_bytes())
    for start in range(120 * 4096, len(data), 3 * 4096):
        data[start : start + 512] = b"\xa5" * 512
    path.write_bytes(data)
    await store.open()
    # Damage that keeps even the check from reading is told by the error, which says the same.
    told = await asyncio.gather(store.check(), return_exceptions=True)
    assert str(path) in str(told[0])
    assert "backup" in str(told[0])
    with pytest.raises(StoreDamagedError, match="backup"):
        await asyncio.gather(*(store.message(f"shopee/shop/c{n}", f"m{n}") for n in range(2_000)))
    await store.close()


EVENT_OF_THE_FIRST_SCHEMA = {
    "type": "message", "platform": "shopee", "account": "shop", "at": NOW, "conversation": "c1", "message": "m1",
    "sent_at": NOW, "direction": "in", "text": "kept",
}  # fmt: skip
OF_THE_FIRST_SCHEMA = (
    "INSERT INTO marks (partition, applied, time, drift, version) VALUES (0, 10, :now, 5, 1)",
    "INSERT INTO channels (id, key) VALUES (1, 'shopee/shop')",
    "INSERT INTO conversation_keys (id, channel, key) VALUES (1, 1, 'shopee/shop/c1')",
    """INSERT INTO messages (id, conversation, channel, message, sent_at, at, partition, stored_at, edited, event)
        VALUES (1, 1, 1, 'm1', :now, :now, 0, :now, :now + 1, :event)""",
    "INSERT INTO versions VALUES (1, 1, 'm1', :now + 1, 'edited', 'changed')",
    """INSERT INTO conversations (id, platform, account, conversation, vip, messages, first_at, last_at, last_sent_at,
        last_seen_at) VALUES (1, 'shopee', 'shop', 'c1', 0, 1, :now, :now, :now, :now)""",
    "INSERT INTO search (rowid, text, ids) VALUES (1 << 32 | 1, 'kept', 'm1')",
)
"""What an older Weir wrote of one edited message."""


async def test_a_file_of_the_first_schema_is_opened_and_brought_up_to_date(tmp_path, monkeypatch):
    path = tmp_path / "store.db"
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        store = SqliteStore(path)
        await store.open()
        await store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        for statement in OF_THE_FIRST_SCHEMA:
            connection.execute(statement, {"now": NOW, "event": json.dumps(EVENT_OF_THE_FIRST_SCHEMA)})
        assert connection.execute(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('mutes', 'processes')"
        ).fetchone() == (0,)
    connection.close()
    store = SqliteStore(path)
    await store.open()
    assert (await store.mark(0)).version == 1
    assert (await store.message(KEY, "m1")).text == "changed"
    for query in ("kept", "changed", "m1", "c1"):
        found = await store.conversations(ConversationFilter(q=query), 5)
        assert [row.key for row in found.items] == [KEY]
    row = await store.conversation(KEY)
    assert (row.unread, row.desk_version, row.archived) == (0, 0, False)
    assert [row.key for row in (await store.inbox(InboxFilter(now=NOW), 0, 5))[0]] == [KEY]
    assert (await store.mutes(5), await store.beats(0), await store.bindings(), await store.check()) == ([], [], [], [])
    await store.put_mute(
        Mute(id="m", at=NOW, until=NOW + 1, who="ann", reason="r"), AuditRow(at=NOW, who="ann", what="w", subject="s")
    )
    assert [mute.id for mute in await store.mutes(5)] == ["m"]
    assert (await store.replies(ReplyFilter(), 5)).items == []
    assert (await store.sweeps(), await store.jobs("pointer", 5), await store.orders_by(number="1")) == ([], [], [])
    await store.close()


async def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(ConfigurationError, match="newer Weir"):
        await store.open()


async def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(ConfigurationError, match="another program"):
        await SqliteStore(path).open()


async def test_a_path_that_cannot_be_written_is_a_setting_to_mend(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="path"):
        await SqliteStore(tmp_path / "file" / "store.db").open()


async def test_a_closed_store_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="open"):
        await SqliteStore(tmp_path / "store.db").mark(0)


async def test_reads_go_on_beside_a_long_write(store):
    save = Flushes(store)
    await save(stored("m1"))
    started, release = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(connection):
        connection.execute("UPDATE messages SET copies = 9")
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    writing = asyncio.create_task(store._db.write(slow))
    await started.wait()
    assert (await store.message(KEY, "m1")).copies == 0
    release.set()
    await writing
    assert (await store.message(KEY, "m1")).copies == 9


def test_a_kill_in_the_middle_of_a_save_leaves_all_of_it_or_nothing(tmp_path):
    for attempt in range(4):
        path = tmp_path / f"store{attempt}.db"
        program = [sys.executable, "-m", "tests.storage.endless_saves", str(path)]
        with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE) as process:
            # Killed at another point of a flush each time: after so many lines it is always inside the next save.
            acknowledged = [json.loads(process.stdout.readline()) for _ in range(2 + attempt)]
            process.send_signal(signal.SIGKILL)
        asyncio.run(_whole_flushes_only(path, acknowledged[-1]))


async def _whole_flushes_only(path, acknowledged):
    store = SqliteStore(path)
    await store.open()
    mark = await store.mark(0)
    assert mark.version >= acknowledged
    assert (await store.counts())["shopee/shop"]["stored"] == mark.version * 3_000
    assert len(await store.armed(0)) == 1_000
    row = await store.conversation("shopee/shop/c7")
    assert row.messages == mark.version * 3
    assert await store.check() == []
    await store.close()


@settings(max_examples=20, deadline=None)
@given(
    messages=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.text(max_size=3)), max_size=40),
    limit=st.integers(1, 7),
)
def test_pages_put_together_are_the_full_list(messages, limit):
    async def run():
        store = SqliteStore()
        await store.open()
        effects = [
            stored(f"{text.encode('utf-8', 'replace').decode()}{n}", at=NOW + at, sent_at=NOW + sent)
            for n, (at, sent, text) in enumerate(messages)
        ]
        await Flushes(store)(*effects)
        rows = await everything(lambda size, cursor: store.messages(KEY, size, cursor), limit)
        await store.close()
        return [(row.sent_at, row.at, row.message) for row in rows], [
            (e.event.sent_at, e.at, e.event.message) for e in effects
        ]

    paged, told = asyncio.run(run())
    assert paged == sorted(told, key=lambda row: (row[0], row[1], row[2].encode()))


async def test_conversations_with_a_frequent_word_are_the_same_walked_or_gathered(store, monkeypatch):
    effects = [stored("m", f"c{n}", at=NOW + n, text="我要退款 please" if n % 2 else "hello") for n in range(20)]
    await Flushes(store)(*effects)
    for query, steps in (("please", (3,) * 10), ("要退款", (3,) * 10), ("please", (2, 3))):
        where = ConversationFilter(q=query)
        gathered = await everything(lambda limit, cursor, w=where: store.conversations(w, limit, cursor), 4)
        with monkeypatch.context() as patch:
            patch.setattr(conversation_search, "FEW", 2)
            patch.setattr(conversation_search, "STEPS", steps)
            walked = await everything(lambda limit, cursor, w=where: store.conversations(w, limit, cursor), 4)
        assert walked == gathered
        assert [row.conversation for row in walked] == [f"c{n}" for n in reversed(range(1, 20, 2))]
