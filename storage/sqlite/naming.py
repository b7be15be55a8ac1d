"""Which kept files are named by anything that is held."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from storage.digests import named_in
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database

WITH_FILES = """instr(body, '"files":[{') > 0"""
"""As the partial index of replies has it, to the letter."""
_BY_DIGEST = "SELECT 1 FROM attachments WHERE json_extract(detail, '$.digest') = ? AND detail IS NOT NULL LIMIT 1"
_BY_THUMB = "SELECT 1 FROM attachments WHERE json_extract(detail, '$.thumb') = ? AND detail IS NOT NULL LIMIT 1"


class SqliteNaming:
    """`storage.channel_ports.NamingStore`."""

    _db: Database

    async def named_files(self, digests: Sequence[str]) -> set[str]:
        """Of these digests those that a message's file, a thumbnail, a reply or a draft names."""
        return await self._db.read(_named, digests)


def _named(connection: Connection, digests: Sequence[str]) -> set[str]:
    wanted = set(digests)
    found: set[str] = set()
    for source in (f"FROM replies INDEXED BY replies_with_files WHERE {WITH_FILES}", f"FROM drafts WHERE {WITH_FILES}"):
        for (body,) in read_rows(connection, "body", source):
            found |= wanted.intersection(named_in(body))
    for digest in wanted - found:
        if any(connection.execute(sql, (digest,)).fetchone() for sql in (_BY_DIGEST, _BY_THUMB)):
            found.add(digest)
    return found
