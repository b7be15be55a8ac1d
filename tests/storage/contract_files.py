"""Files by the SHA-256 of their content. A test class inherits `FileContract` and gives the fixture `files`, empty."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from hashlib import sha256

import pytest

from actors.errors import RejectedError
from storage.errors import FileMissingError

HOUR = 3_600_000
SIZES = (0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3 * 256 * 1024 + 17)


def content(size):
    return bytes(n * 7 % 251 for n in range(997)) * (size // 997 + 1)


def now():
    return time.time_ns() // 1_000_000


def digest_of(data):
    return sha256(data).hexdigest()


async def parts(data, size=70_000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def gathered(pieces):
    return b"".join([piece async for piece in pieces])


class FileContract:
    @pytest.mark.parametrize("size", SIZES)
    async def test_a_file_comes_back_as_it_was_kept(self, files, size):
        data = content(size)[:size]
        digest = digest_of(data)
        assert await files.file_size(digest) is None
        assert await files.put_file(digest, parts(data)) == size
        assert await files.file_size(digest) == size
        assert await gathered(files.file(digest)) == data

    async def test_a_large_part_is_kept_and_given_in_pieces(self, files):
        data = content(1 << 20)
        digest = digest_of(data)
        assert await files.put_file(digest, parts(data, 1 << 30)) == len(data)
        pieces = [piece async for piece in files.file(digest)]
        assert max(map(len, pieces)) <= 256 * 1024
        assert b"".join(pieces) == data

    async def test_a_file_that_is_held_is_not_written_again(self, files):
        digest = digest_of(b"one")
        assert await files.put_file(digest, parts(b"one")) == 3
        assert await files.put_file(digest, parts(b"another")) == 3
        assert await gathered(files.file(digest)) == b"one"

    async def test_of_many_who_keep_one_file_at_once_all_succeed(self, files):
        data = content(600_000)
        sizes = await asyncio.gather(*(files.put_file(digest_of(data), parts(data)) for _ in range(4)))
        assert set(sizes) == {len(data)}
        assert await gathered(files.file(digest_of(data))) == data
        await files.delete_file(digest_of(data))
        assert await files.file_size(digest_of(data)) is None

    @pytest.mark.parametrize("data", [b"", b"other", content(600_000)])
    async def test_content_of_another_digest_is_refused_and_nothing_is_kept(self, files, data):
        digest = digest_of(b"one")
        with pytest.raises(RejectedError, match="digest"):
            await files.put_file(digest, parts(data))
        assert await files.file_size(digest) is None
        assert await self.leftovers(files) == []
        assert await files.put_file(digest, parts(b"one")) == 3

    async def test_content_that_breaks_off_leaves_nothing_behind(self, files):
        async def breaking():
            yield content(600_000)
            raise ConnectionResetError

        digest = digest_of(content(700_000))
        with pytest.raises(ConnectionResetError):
            await files.put_file(digest, breaking())
        assert await files.file_size(digest) is None
        assert await self.leftovers(files) == []

    async def test_a_file_is_deleted_once_and_may_be_kept_again(self, files):
        digest = digest_of(b"one")
        await files.delete_file(digest)
        for _ in range(2):
            await files.put_file(digest, parts(b"one"))
            await files.delete_file(digest)
            await files.delete_file(digest)
            assert await files.file_size(digest) is None
            with pytest.raises(FileMissingError, match=digest):
                await gathered(files.file(digest))
        assert await self.leftovers(files) == []

    async def test_files_that_were_not_kept_again_since_a_time_are_old_and_nothing_else_is_forgotten(self, files):
        datas = [b"one", b"two", b"three"]
        digests = sorted(map(digest_of, datas))
        for data in datas:
            await files.put_file(digest_of(data), parts(data))
        assert await files.old_files(now() - HOUR, 5) == []
        later = now() + HOUR
        assert await files.old_files(later, 5) == digests
        assert await files.old_files(later, 2) == digests[:2]
        assert await files.old_files(later, 2, digests[1]) == digests[2:]
        assert not await files.delete_old_file(digests[0], now() - HOUR)
        assert await files.file_size(digests[0]) is not None
        assert await files.delete_old_file(digests[0], later)
        assert not await files.delete_old_file(digests[0], later)
        assert await files.old_files(later, 5) == digests[1:]

    async def test_a_file_that_is_kept_again_is_no_old_one_any_more(self, files):
        digest = digest_of(b"one")
        await files.put_file(digest, parts(b"one"))
        await self.aged(files, digest, HOUR)
        between = now() - HOUR // 2
        assert await files.old_files(between, 5) == [digest]
        await files.put_file(digest, parts(b"one"))
        assert await files.old_files(between, 5) == []
        assert not await files.delete_old_file(digest, between)
        assert await gathered(files.file(digest)) == b"one"

    async def test_a_reader_may_stop_early(self, files):
        data = content(900_000)
        await files.put_file(digest_of(data), parts(data))
        async with aclosing(files.file(digest_of(data))) as pieces:
            assert data.startswith(await anext(pieces))

    @pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "/" * 64])
    async def test_nothing_but_a_digest_names_a_file(self, files, name):
        for asked in (files.put_file(name, parts(b"x")), files.file_size(name), files.delete_file(name)):
            with pytest.raises(RejectedError, match="SHA-256"):
                await asked
        with pytest.raises(RejectedError, match="SHA-256"):
            await gathered(files.file(name))
