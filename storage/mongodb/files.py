"""Files in the database, by GridFS (a MongoDB specification): pieces first, then the entry that makes a file visible.

The `filename` is the digest. Two processes that keep one file at the same time make two entries: either will do. An
upload is noted in `uploads` while it lasts, so that the pieces of one that died are found; they go after a day.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

from bson import ObjectId
from gridfs.asynchronous import AsyncGridFSBucket, AsyncGridIn
from gridfs.errors import NoFile
from pymongo.asynchronous.database import AsyncDatabase

from actors.errors import WeirError
from storage.digests import PIECE_BYTES, checked_digest, proved_pieces
from storage.errors import FileMissingError, StoreBusyError
from storage.mongodb.connection import Database, Row

BUCKET = "files"
LEFT_BEHIND = timedelta(days=1)
LONGEST_S = 3_600.0
"""Of one upload: nobody takes it for one that died, and a frozen process that wakes makes nothing visible any more."""


class MongoFiles:
    """`storage.channel_ports.FileStore` beside a store, open as long as that is."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put_file(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Keep a file, durable when it returns; its size in bytes. Raises RejectedError when the digest is another's.

        A file that is held already is not written again, but counts as kept now.
        """
        held = await self._kept_again(digest)
        if held is not None:
            return held
        await self._forget_left_behind()
        upload, until = ObjectId(), monotonic() + LONGEST_S
        with self._db.talk() as db:
            await db.uploads.insert_one({"_id": upload})
            file = _bucket(db).open_upload_stream_with_id(upload, digest)
        try:
            size = 0
            async with aclosing(proved_pieces(digest, content)) as pieces:
                async for piece in pieces:
                    with self._db.talk():
                        await file.write(piece)
                    size += len(piece)
            await self._show(file, until)
        except BaseException:
            # Out of reach, it is forgotten later: what went wrong first is what counts.
            with suppress(WeirError):
                await self._forget(upload)
            raise
        with self._db.talk() as db:
            await db.uploads.delete_one({"_id": upload})
        return size

    async def file(self, digest: str) -> AsyncGenerator[bytes]:
        """The content of a file in pieces; raises FileMissingError."""
        entry = await self._entry(digest)
        if entry is None:
            raise FileMissingError(f"no file {digest} is kept in {self._db.place}")
        with self._db.talk() as db:
            try:
                file = await _bucket(db).open_download_stream(entry["_id"])
            except NoFile as gone:
                raise FileMissingError(f"the file {digest} has just been deleted in {self._db.place}") from gone
        while True:
            with self._db.talk():
                piece = await file.readchunk()
            if not piece:
                return
            yield piece

    async def file_size(self, digest: str) -> int | None:
        """The size of a file in bytes; None when it is not held."""
        entry = await self._entry(digest)
        return None if entry is None else int(entry["length"])

    async def delete_file(self, digest: str) -> None:
        """Forget a file, if it is held."""
        name = checked_digest(digest)
        with self._db.talk() as db:
            entries = [row["_id"] async for row in db[BUCKET].files.find({"filename": name}, {"_id": 1})]
            for entry in entries:
                with suppress(NoFile):  # somebody else was faster
                    await _bucket(db).delete(entry)

    async def old_files(self, before: int, limit: int, after: str | None = None) -> list[str]:
        """Digests, ascending and beyond `after`, of files that were last kept, anew or again, before that time (ms)."""
        where: Row = {**_older(before), "filename": {"$gt": after or ""}}
        found: dict[str, None] = {}
        with self._db.talk() as db:
            async for row in db[BUCKET].files.find(where, {"filename": 1}, sort=[("filename", 1)]):
                found[row["filename"]] = None
                if len(found) == limit:
                    break
        return list(found)

    async def delete_old_file(self, digest: str, before: int) -> bool:
        """Forget a file, unless it was kept, anew or again, since that time (ms); whether it was forgotten."""
        where: Row = {"filename": checked_digest(digest), **_older(before)}
        gone = False
        with self._db.talk() as db:
            for entry in [row["_id"] async for row in db[BUCKET].files.find(where, {"_id": 1})]:
                # The entry first: who keeps it again meanwhile has changed it, or finds it gone and keeps it anew.
                if (await db[BUCKET].files.delete_one({"_id": entry, **_older(before)})).deleted_count:
                    await db[BUCKET].chunks.delete_many({"files_id": entry})
                    gone = True
        return gone

    async def _kept_again(self, digest: str) -> int | None:
        """The size of a file, after its time was set to now; None when it is not held."""
        entry = await self._entry(digest)
        if entry is None:
            return None
        change = {"$set": {"metadata": {"kept_at": datetime.now(UTC)}}}
        with self._db.talk() as db:
            done = await db[BUCKET].files.update_one({"_id": entry["_id"]}, change)
        return int(entry["length"]) if done.matched_count else None

    async def _show(self, file: AsyncGridIn, until: float) -> None:
        """Write the entry that makes a file visible."""
        if monotonic() > until:
            raise StoreBusyError(f"keeping a file in {self._db.place} took too long; it is tried again")
        with self._db.talk():
            await file.close()

    async def _entry(self, digest: str) -> Row | None:
        where = {"filename": checked_digest(digest)}
        with self._db.talk() as db:
            return await db[BUCKET].files.find_one(where, {"length": 1}, sort=[("uploadDate", 1)])

    async def _forget_left_behind(self) -> None:
        """Forget the pieces of uploads whose process died; one that came to its end keeps them."""
        old = ObjectId.from_datetime(datetime.now(UTC) - LEFT_BEHIND)
        with self._db.talk() as db:
            for upload in [row["_id"] async for row in db.uploads.find({"_id": {"$lt": old}})]:
                if await db[BUCKET].files.find_one({"_id": upload}, {"_id": 1}) is None:
                    await self._forget(upload)
                await db.uploads.delete_one({"_id": upload})

    async def _forget(self, upload: ObjectId) -> None:
        with self._db.talk() as db:
            # The entry first: what is seen is whole.
            await db[BUCKET].files.delete_one({"_id": upload})
            await db[BUCKET].chunks.delete_many({"files_id": upload})
            await db.uploads.delete_one({"_id": upload})


def _older(before: int) -> Row:
    """Entries of files that were last kept before that time (ms)."""
    at = datetime.fromtimestamp(before / 1000, UTC)
    return {"uploadDate": {"$lt": at}, "$or": [{"metadata": None}, {"metadata.kept_at": {"$lt": at}}]}


def _bucket(db: AsyncDatabase[Row]) -> AsyncGridFSBucket:
    return AsyncGridFSBucket(db, BUCKET, chunk_size_bytes=PIECE_BYTES)
