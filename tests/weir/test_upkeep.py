"""What is older than its retention is forgotten, and the audit still proves the rest."""

import os
from hashlib import sha256

import pytest
import zstandard
from msgspec import json
from msgspec.structs import replace

from actors.errors import ConfigurationError
from actors.events import Attachment, AttachmentStatus, Message
from services.ledger import audit
from services.message_views import message_view
from storage.errors import ArchiveError
from weir.config import Config
from weir.upkeep import DAY_MS, PRUNED, Upkeep
from weir.wiring import running


def message(number, sent_at):
    return Message(
        platform="ebay",
        account="shop",
        conversation=f"c{number}",
        message=f"m{number}",
        sent_at=sent_at,
        direction="in",
    )


async def test_old_data_is_forgotten_and_the_audit_still_holds(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        now = weir.gateway.now()
        for number in range(5):
            await weir.gateway.submit([message(number, now)])
        await weir.runtime.settled()
        later = now + 100 * DAY_MS
        upkeep = Upkeep(store=weir.store, log=weir.log, accounts=weir.accounts, now=lambda: later, retention_days=90)
        await upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1") is None
        [row] = (await weir.store.audit(10, subject=PRUNED)).items
        assert row.after["rows"] > 0
        await weir.gateway.submit([message(9, now)])
        await weir.runtime.settled()
        result = await audit(weir.store, weir.gateway)
        assert result.problems == []
        await upkeep.once()


async def test_what_is_forgotten_is_in_the_archive(data_dir, tmp_path):
    folder = tmp_path / "archive"
    async with running(Config(data_dir=str(data_dir), partitions=1, archive_dir=str(folder), retention_days=1)) as weir:
        old, young = weir.gateway.now() - 2 * DAY_MS, weir.gateway.now()
        events = [message(number, old) for number in range(5)]
        await weir.gateway.submit([*events, message(9, young)])
        await weir.runtime.settled()
        shown = [message_view(await weir.store.message(f"ebay/shop/c{n}", f"m{n}")) for n in (*range(5), 9)]
        upkeep = weir.upkeep
        await upkeep.once()
        assert list(folder.iterdir()) == []
        upkeep._now = lambda: young + 2 * DAY_MS
        await upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1") is None
        [file] = folder.iterdir()
        with file.open("rb") as packed:
            text = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
        lines = {line["message"]: line for line in map(json.decode, text.splitlines())}
        assert lines == {line["message"]: line for line in json.decode(json.encode(shown))}
        result = await audit(weir.store, weir.gateway)
        assert result.problems == []


async def test_nothing_is_forgotten_while_the_archive_cannot_be_written(data_dir, tmp_path):
    folder = tmp_path / "archive"
    async with running(Config(data_dir=str(data_dir), partitions=1, archive_dir=str(folder))) as weir:
        now = weir.gateway.now()
        await weir.gateway.submit([message(1, now)])
        await weir.runtime.settled()
        weir.upkeep._now = lambda: now + 100 * DAY_MS
        folder.rmdir()
        with pytest.raises(ArchiveError, match="archive_dir"):
            await weir.upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1")
        folder.mkdir()
        await weir.upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1") is None
        assert len(list(folder.iterdir())) == 1


async def test_an_archive_that_cannot_be_made_stops_the_start(data_dir, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="setting archive_dir"):
        async with running(Config(data_dir=str(data_dir), archive_dir=str(tmp_path / "file"))):
            pass


async def test_whoever_lost_the_turn_forgets_nothing(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        now = weir.gateway.now()
        await weir.gateway.submit([message(1, now)])
        await weir.runtime.settled()
        later = now + 100 * DAY_MS
        upkeep = Upkeep(store=weir.store, log=weir.log, accounts=weir.accounts, now=lambda: later, retention_days=90)
        await upkeep.once(lambda: False)
        assert await weir.store.message("ebay/shop/c1", "m1")
        await upkeep.once(lambda: True)
        assert await weir.store.message("ebay/shop/c1", "m1") is None


async def test_what_is_young_stays(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        await weir.gateway.submit([message(1, weir.gateway.now())])
        await weir.runtime.settled()
        await weir.upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1")
        assert await weir.store.minutes(0, 2**40)
        assert (await weir.store.audit(10, subject=PRUNED)).items == []


async def kept(files, content):
    async def pieces():
        yield content

    digest = sha256(content).hexdigest()
    await files.put_file(digest, pieces())
    return digest


async def test_files_are_forgotten_with_the_messages_that_name_them_and_not_before(data_dir):
    """Of one content that two messages name, of one that nothing ever named, and of one that was kept a moment ago."""
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        files = weir.channels.files
        old, young = weir.gateway.now() - 100 * DAY_MS, weir.gateway.now()
        shared, alone, nobodys = [await kept(files, content) for content in (b"shared", b"alone", b"nobody's")]
        for number, sent_at, digest in ((1, old, shared), (3, old, alone), (2, young, shared)):
            told = replace(message(number, sent_at), at=sent_at, attachments=[Attachment(id="a")])
            about = {"platform": "ebay", "account": "shop", "conversation": f"c{number}", "message": f"m{number}"}
            fate = AttachmentStatus(at=sent_at, attachment="a", status="ok", detail={"digest": digest}, **about)
            await weir.gateway.submit([told, fate])
        await weir.runtime.settled()
        for path in (data_dir / "files").rglob("*"):
            os.utime(path, (old / 1000, old / 1000))
        fresh = await kept(files, b"kept a moment ago")
        weir.upkeep._now = lambda: young + 2 * DAY_MS  # it looked at files when it started
        await weir.upkeep.once()
        held = [await files.file_size(digest) is not None for digest in (shared, alone, nobodys, fresh)]
        assert held == [True, False, False, True]
        [row] = (await weir.store.audit(10, subject=PRUNED)).items
        assert row.after["files"] == 2
