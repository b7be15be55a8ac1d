from __future__ import annotations

import asyncio
import sqlite3
import stat

import pytest

from actors.errors import ConfigurationError
from streams.embedded.log import EmbeddedLog
from streams.embedded.schema import LogDamagedError, LogInUseError
from streams.frames import assemble, decode_frame
from streams.ports import Frame, LogFullError

FRAME = assemble(5, [])


async def walk(log, partition, **where):
    return [record.offset async for record in log.records(partition, **where)]


async def test_offsets_are_contiguous_per_partition_and_survive_reopening(log):
    assert await log.append([(0, 1, FRAME), (3, 1, FRAME), (0, 2, FRAME)]) == [0, 0, 1]
    await log.close()
    await log.open()
    assert await log.append([(0, 3, FRAME), (3, 3, FRAME)]) == [2, 1]
    assert await walk(log, 0) == [0, 1, 2]
    assert await walk(log, 1) == []


async def test_what_is_queued_together_is_committed_together(log):
    before = log._writer.transactions
    await asyncio.gather(*(log.append([(n % 4, 1, FRAME)]) for n in range(400)))
    assert log._writer.transactions - before <= 2
    assert [log.end(partition) for partition in range(4)] == [100] * 4


async def test_appends_keep_the_order_of_the_calls(log):
    frames = [assemble(n, []) for n in range(200)]
    await asyncio.gather(*(log.append([(1, n, frame)]) for n, frame in enumerate(frames)))
    assert [record.data async for record in log.records(1)] == frames


async def test_the_files_belong_to_their_owner_alone(log, data_dir):
    await log.append([(0, 1, FRAME)])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    assert set(modes.values()) == {0o600}, modes


async def test_committed_offsets_are_kept_per_consumer(log):
    await log.append([(0, 1, FRAME), (0, 2, FRAME)])
    await log.commit({0: 1})
    await log.commit({0: 2}, consumer="audit")
    await log.close()
    await log.open()
    assert (log.committed(0), log.committed(0, "audit"), log.committed(1)) == (1, 2, None)
    assert [place.committed for place in await log.positions()] == [1, 0, 0, 0]


async def test_the_oldest_unprocessed_record_tells_since_when_work_waits(log):
    assert await log.waiting_since() is None
    await log.append([(0, 10, FRAME), (0, 20, FRAME), (1, 15, FRAME)])
    assert await log.waiting_since() == 10
    await log.commit({0: 1})
    assert await log.waiting_since() == 15
    await log.commit({0: 2, 1: 1})
    assert await log.waiting_since() is None


async def test_records_are_found_by_the_time_they_were_accepted(log):
    await log.append([(2, wall, FRAME) for wall in (10, 20, 20, 30, 40)])
    assert await walk(log, 2, since=20) == [1, 2, 3, 4]
    assert await walk(log, 2, since=20, until=40) == [1, 2, 3]
    assert await walk(log, 2, offset=2, until=31) == [2, 3]
    assert await walk(log, 2, since=41) == []


async def test_acceptance_times_never_go_back_within_a_partition(log):
    await log.append([(0, 50, FRAME), (0, 40, FRAME), (1, 40, FRAME)])
    assert [record.wall async for record in log.records(0)] == [50, 50]
    assert [record.wall async for record in log.records(1)] == [40]


async def test_trimming_stops_at_what_a_consumer_still_needs(log):
    await log.append([(0, wall, FRAME) for wall in range(1200)])
    assert await log.trim(10_000) == 0
    await log.commit({0: 1100})
    await log.commit({0: 1000}, consumer="audit")
    assert await log.trim(900) == 900
    assert await log.trim(5000) == 100
    assert (await walk(log, 0))[0] == 1000
    await log.commit({0: 1200}, consumer="audit")
    await log.commit({0: 1200})
    assert await log.trim(5000) == 200
    await log.close()
    await log.open()
    assert (log.start(0), log.end(0)) == (1200, 1200)
    assert await log.append([(0, 1300, FRAME)]) == [1200]


async def test_a_full_disk_accepts_nothing_and_heals_by_itself(data_dir):
    log = EmbeddedLog(data_dir / "log.db", partitions=4, limit_bytes=400_000)
    await log.open()
    big = assemble(5, [b"\xc4\xff" + bytes(255)] * 200)
    accepted = 0

    async def fill():
        nonlocal accepted
        while True:
            await log.append([(0, accepted, big), (1, accepted, big)])
            accepted += 1

    with pytest.raises(LogFullError, match="no room"):
        await fill()
    assert (log.end(0), log.end(1)) == (accepted, accepted)
    assert await walk(log, 1) == list(range(accepted))
    await log.commit({0: accepted, 1: accepted})
    await log.trim(accepted)
    assert await log.append([(0, 99, big)]) == [accepted]
    await log.close()


async def test_a_locked_log_is_tried_again(log, data_dir):
    other = sqlite3.connect(data_dir / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    appending = asyncio.ensure_future(log.append([(0, 1, FRAME)]))
    done, _ = await asyncio.wait([appending], timeout=0.3)
    assert not done
    other.execute("COMMIT")
    other.close()
    assert await appending == [0]


async def test_a_log_that_stays_locked_is_reported_and_nothing_is_accepted(log, data_dir, monkeypatch):
    monkeypatch.setattr("streams.embedded.writer.LOCK_PATIENCE_S", 0.0)
    other = sqlite3.connect(data_dir / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogFullError, match="locked by another program"):
        await log.append([(0, 1, FRAME)])
    other.execute("COMMIT")
    other.close()
    assert await log.append([(0, 1, FRAME)]) == [0]


async def test_a_second_owner_is_turned_away(log):
    with pytest.raises(LogInUseError, match="another process"):
        await EmbeddedLog(log.path, partitions=4).open()


async def test_another_number_of_partitions_is_a_wrong_setting(log, data_dir):
    await log.close()
    with pytest.raises(ConfigurationError, match="created with 4 partitions"):
        await EmbeddedLog(data_dir / "log.db", partitions=8).open()


async def test_a_file_that_is_no_log_is_named(data_dir):
    (data_dir / "log.db").write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(LogDamagedError, match=r"log\.db is damaged"):
        await EmbeddedLog(data_dir / "log.db").open()


def spoil(path, row_id):
    db = sqlite3.connect(path)
    [(data,)] = db.execute("SELECT data FROM record WHERE id = ?", (row_id,)).fetchall()
    db.execute("UPDATE record SET data = ? WHERE id = ?", (data[:-1] + b"\xff", row_id))
    db.commit()
    db.close()


async def test_a_damaged_last_record_is_moved_aside_and_told(log, data_dir, caplog):
    await log.append([(1, wall, assemble(wall, [])) for wall in (10, 20, 30)])
    await log.append([(0, 10, FRAME)])
    await log.close()
    spoil(data_dir / "log.db", (1 << 48) | 2)
    await log.open()
    [problem] = log.problems()
    assert "record 2 of partition 1" in problem
    assert "acknowledged and not yet processed" in problem
    assert "record 2 of partition 1" in caplog.text
    assert await walk(log, 1) == [0, 1, 2]
    assert decode_frame([r async for r in log.records(1)][2].data) == Frame(30, [])
    assert await log.append([(1, 40, FRAME)]) == [3]


async def test_a_damaged_record_that_was_processed_is_no_loss(log, data_dir):
    await log.append([(1, 10, FRAME)])
    await log.commit({1: 1})
    await log.close()
    spoil(data_dir / "log.db", 1 << 48)
    await log.open()
    assert "nothing is lost" in log.problems()[0]


async def test_a_torn_write_ahead_log_loses_only_what_was_never_acknowledged(data_dir):
    log = EmbeddedLog(data_dir / "log.db", partitions=1)
    await log.open()
    for wall in range(20):
        await log.append([(0, wall, FRAME)])
    copy = data_dir / "after-the-crash.db"
    torn = (data_dir / "log.db-wal").read_bytes()
    copy.write_bytes((data_dir / "log.db").read_bytes())
    (data_dir / "after-the-crash.db-wal").write_bytes(torn[: len(torn) - 2000])
    await log.close()
    after = EmbeddedLog(copy, partitions=1)
    await after.open()
    assert await walk(after, 0) == list(range(19))
    assert await after.append([(0, 30, FRAME)]) == [19]
    assert await after.check() == []
    await after.close()


async def test_the_check_finds_holes(log, data_dir):
    await log.append([(0, 1, FRAME)] * 5)
    await log.close()
    db = sqlite3.connect(data_dir / "log.db")
    db.execute("DELETE FROM record WHERE id = 2")
    db.commit()
    db.close()
    await log.open()
    assert [p for p in await log.check() if "lacks records 2 to 2" in p]


async def test_a_closed_log_says_so(log):
    await log.close()
    with pytest.raises(ConfigurationError, match="is not open for writing"):
        await log.append([(0, 1, FRAME)])
    await log.open()


async def test_another_reader_sees_the_log_as_it_is_and_cannot_write(log):
    await log.append([(1, 10, FRAME), (1, 20, FRAME)])
    await log.commit({1: 1})
    other = EmbeddedLog(log.path, partitions=4)
    await other.open_to_read()
    assert (other.end(1), other.committed(1), await walk(other, 1)) == (2, 1, [0, 1])
    assert await other.check() == []
    with pytest.raises(ConfigurationError, match="not open for writing"):
        await other.append([(1, 30, FRAME)])
    await other.close()
    assert await log.append([(1, 30, FRAME)]) == [2]


async def test_reading_a_log_that_is_not_there_says_so(data_dir):
    with pytest.raises(ConfigurationError, match="there is no log"):
        await EmbeddedLog(data_dir / "nothing.db").open_to_read()


async def test_offsets_are_committed_only_after_what_they_stand_for_is_on_the_disk(data_dir):
    committed_when_synced = []
    disk_is_well = False

    async def sync():
        committed_when_synced.append(log.committed(0))
        if not disk_is_well:
            raise LogFullError("the disk is slow today")

    log = EmbeddedLog(data_dir / "log.db", partitions=1, before_commit=sync)
    await log.open()
    await log.append([(0, 1, b"a")])
    with pytest.raises(LogFullError):
        await log.commit({0: 1})
    assert log.committed(0) is None
    disk_is_well = True
    await log.commit({0: 1})
    assert log.committed(0) == 1
    assert committed_when_synced == [None, None]
    await log.close()
