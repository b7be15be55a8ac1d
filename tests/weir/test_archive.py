"""The archive in a folder: what was put is on the disk, and stays readable whatever happens to the last write."""

import errno
import os
import stat
from pathlib import Path

import pytest
import zstandard
from msgspec import json

from actors.errors import ConfigurationError
from services.message_views import message_view
from storage.errors import ArchiveError
from storage.records import MessageRow
from weir.archive import FolderArchive
from weir.upkeep import DAY_MS

NOON = 1_790_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2


def rows(*names):
    return [
        MessageRow(
            key="ebay/shop/c1", message=name, direction="in", sent_at=NOON, at=NOON + 5, text="上海\nsecond line"
        )
        for name in names
    ]


def lines_of(file):
    with file.open("rb") as packed:
        text = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
    return [json.decode(line) for line in text.splitlines()]


def names_in(folder):
    return [line["message"] for file in sorted(folder.iterdir()) for line in lines_of(file)]


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "far" / "archive"


async def test_messages_are_kept_as_the_api_shows_them_in_one_file_a_day(folder, clock):
    archive = FolderArchive(folder, clock)
    await archive.put(rows("m1", "m2"))
    clock.now += 1_000
    await archive.put(rows("m3"))
    [file] = folder.iterdir()
    assert file.name == "messages-2026-09-21T120000000Z.jsonl.zst"
    assert lines_of(file) == [json.decode(json.encode(message_view(row))) for row in rows("m1", "m2", "m3")]
    clock.now += DAY_MS
    await archive.put(rows("m4"))
    assert [file.name[:19] for file in sorted(folder.iterdir())] == ["messages-2026-09-21", "messages-2026-09-22"]
    assert names_in(folder) == ["m1", "m2", "m3", "m4"]


async def test_only_the_owner_may_read_the_archive(folder, clock):
    await FolderArchive(folder, clock).put(rows("m1"))
    [file] = folder.iterdir()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, folder, folder.parent)]
    assert modes == [0o600, 0o700, 0o700]


async def test_what_a_crash_tore_off_spoils_nothing_that_comes_later(folder, clock):
    await FolderArchive(folder, clock).put(rows("m1"))
    [torn] = folder.iterdir()
    torn.write_bytes(torn.read_bytes()[:-7])
    await FolderArchive(folder, clock).put(rows("m1", "m2"))
    [file] = {*folder.iterdir()} - {torn}
    assert [line["message"] for line in lines_of(file)] == ["m1", "m2"]


@pytest.mark.parametrize("change", [Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:-1])])
async def test_a_file_that_was_moved_or_changed_is_not_written_again(folder, clock, change):
    archive = FolderArchive(folder, clock)
    await archive.put(rows("m1"))
    [first] = folder.iterdir()
    change(first)
    clock.now += 1
    await archive.put(rows("m2"))
    [second] = {*folder.iterdir()} - {first}
    assert [line["message"] for line in lines_of(second)] == ["m2"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
async def test_a_write_that_fails_half_way_is_undone_and_told(folder, clock, monkeypatch, code):
    archive = FolderArchive(folder, clock)
    await archive.put(rows("m1"))
    write = os.write

    def half(descriptor, data):
        if len(data) < 50:
            raise OSError(code, os.strerror(code))
        return write(descriptor, data[: len(data) // 2])

    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", half)
            with pytest.raises(ArchiveError, match=r"archive_dir.*no message is forgotten"):
                await archive.put(rows("m2"))
        assert names_in(folder) == ["m1"]
    await archive.put(rows("m2"))
    assert names_in(folder) == ["m1", "m2"]


async def test_a_folder_that_is_gone_is_told_and_used_again_when_it_is_back(folder, clock):
    archive = FolderArchive(folder, clock)
    folder.rmdir()
    with pytest.raises(ArchiveError, match="see that the folder is there"):
        await archive.put(rows("m1"))
    folder.mkdir()
    await archive.put(rows("m1"))
    assert names_in(folder) == ["m1"]


def test_a_folder_that_cannot_be_used_is_a_setting_to_mend(tmp_path, clock):
    (tmp_path / "file").write_text("no folder")
    for wrong in (tmp_path / "file", tmp_path / "file" / "archive", Path("/proc/archive")):
        with pytest.raises(ConfigurationError, match="setting archive_dir"):
            FolderArchive(wrong, clock)
