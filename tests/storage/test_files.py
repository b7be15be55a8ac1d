"""The folder of files passes the contract, and fails the way the port says."""

from __future__ import annotations

import asyncio
import os
import stat

import pytest

from actors.errors import ConfigurationError
from storage.errors import StoreFullError
from storage.files import INCOMING, LEFT_BEHIND_S, FolderFiles
from tests.storage.contract_files import FileContract, content, digest_of, gathered, parts


@pytest.fixture
def files(tmp_path):
    return FolderFiles(tmp_path / "files")


class TestFolderFiles(FileContract):
    """Every test of the contract, in a folder of its own."""

    async def leftovers(self, files):
        return sorted(path for path in files._folder.rglob("*") if path.is_file())

    async def aged(self, files, digest, by_ms):
        path = files._folder / digest[:2] / digest[2:4] / digest
        at = path.stat().st_mtime - by_ms / 1000
        os.utime(path, (at, at))


async def test_files_lie_under_their_digest_and_only_the_owner_may_read_them(files, tmp_path):
    digest = digest_of(b"one")
    await files.put_file(digest, parts(b"one"))
    path = tmp_path / "files" / digest[:2] / digest[2:4] / digest
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "files").rglob("*") if one.is_dir()} == {0o700}


async def test_files_are_there_after_a_restart(files, tmp_path):
    await files.put_file(digest_of(b"one"), parts(b"one"))
    assert await gathered(FolderFiles(tmp_path / "files").file(digest_of(b"one"))) == b"one"


async def test_a_call_cut_off_leaves_nothing_behind(files, tmp_path):
    reached, data = asyncio.Event(), content(600_000)

    async def endless():
        yield data
        reached.set()
        await asyncio.Event().wait()

    keeping = asyncio.create_task(files.put_file(digest_of(data), endless()))
    await reached.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert await files.file_size(digest_of(data)) is None
    assert list((tmp_path / "files" / INCOMING).iterdir()) == []


async def test_what_a_process_that_died_left_behind_goes_after_a_day(files, tmp_path):
    await files.put_file(digest_of(b"one"), parts(b"one"))
    old, young = (tmp_path / "files" / INCOMING / name for name in ("old", "young"))
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    then = young.stat().st_mtime - LEFT_BEHIND_S - 60
    os.utime(old, (then, then))
    await files.put_file(digest_of(b"two"), parts(b"two"))
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_folder_that_cannot_be_used_is_a_setting_to_mend(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="rights"):
        await FolderFiles(tmp_path / "file" / "files").put_file(digest_of(b"one"), parts(b"one"))


async def test_a_full_disk_is_told_and_nothing_is_kept(files, monkeypatch):
    await files.put_file(digest_of(b"one"), parts(b"one"))

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreFullError, match="free space"):
            await files.put_file(digest_of(b"two"), parts(b"two"))
    assert await files.file_size(digest_of(b"two")) is None
    assert await files.put_file(digest_of(b"two"), parts(b"two")) == 3
