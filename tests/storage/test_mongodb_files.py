"""The database's files pass the contract; what a process that died left behind goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bson import ObjectId

from storage.errors import StoreBusyError
from storage.mongodb import MongoStore
from storage.mongodb import files as mongodb_files
from tests.storage.contract_files import FileContract, content, digest_of, gathered, parts
from tests.storage.cutter import cutting

pytestmark = pytest.mark.services


@pytest.fixture
async def store(mongo):
    found = MongoStore(mongo.fresh(), timeout_s=60)
    await found.open()
    yield found
    await found.close()


@pytest.fixture
def files(store):
    return store.files


class TestMongoFiles(FileContract):
    """Every test of the contract, in a database of its own."""

    async def leftovers(self, files):
        return await left(files)

    async def aged(self, files, digest, by_ms):
        entries = files._db._client.get_default_database()["files.files"]
        at = (await entries.find_one({"filename": digest}))["uploadDate"] - timedelta(milliseconds=by_ms)
        await entries.update_one({"filename": digest}, {"$set": {"uploadDate": at}})


async def left(files):
    """What is in the database that belongs to files."""
    db = files._db._client.get_default_database()
    names = ("uploads", "files.files", "files.chunks")
    return [(name, row["_id"]) for name in names async for row in db[name].find({}, {"_id": 1})]


@pytest.mark.parametrize("answered", [True, False])
async def test_an_upload_cut_off_at_any_command_is_kept_or_forgotten_after_a_day(mongo, monkeypatch, answered):
    data = content(600_000)
    digest, commands, ended = digest_of(data), 0, False
    while not ended:
        commands += 1
        url = mongo.fresh()
        async with cutting(url) as (cutter, way):
            victim = MongoStore(way, timeout_s=60)
            await victim.open()
            cutter.arm(commands, answered=answered)
            try:
                await victim.files.put_file(digest, parts(data))
                ended = cutter.left != 0
            except StoreBusyError:
                ended = False
            finally:
                await victim.close()
        store = MongoStore(url, timeout_s=60)
        await store.open()
        kept = await store.files.file_size(digest)
        assert kept in {None, len(data)}
        if kept:
            assert await gathered(store.files.file(digest)) == data
        with monkeypatch.context() as patch:
            patch.setattr(mongodb_files, "LEFT_BEHIND", -mongodb_files.LEFT_BEHIND)
            await store.files.put_file(digest_of(b"one"), parts(b"one"))
        await store.files.put_file(digest, parts(data))
        assert await gathered(store.files.file(digest)) == data
        await store.files.delete_file(digest)
        await store.files.delete_file(digest_of(b"one"))
        assert await left(store.files) == [], f"cut off after command {commands}"
        await store.close()


async def test_an_upload_that_lasts_too_long_is_not_kept(files, monkeypatch):
    monkeypatch.setattr(mongodb_files, "LONGEST_S", -1.0)
    with pytest.raises(StoreBusyError, match="too long"):
        await files.put_file(digest_of(b"one"), parts(b"one"))
    assert await left(files) == []


async def test_uploads_of_today_are_left_alone(files):
    db = files._db._client.get_default_database()
    upload = ObjectId()
    await db.uploads.insert_one({"_id": upload})
    await files.put_file(digest_of(b"one"), parts(b"one"))
    assert ("uploads", upload) in await left(files)
