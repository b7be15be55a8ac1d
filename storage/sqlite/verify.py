"""What can be wrong with a database file, in sentences that say how to mend it."""

from __future__ import annotations

import shutil
from pathlib import Path
from sqlite3 import Connection

LARGE_WAL = 1 << 30
LITTLE_SPACE = 1 << 30


def problems_of_file(path: Path) -> list[str]:
    """Trouble to be seen from outside: space, size of the log, rights."""
    found: list[str] = []
    free = shutil.disk_usage(path.parent).free
    if free < LITTLE_SPACE:
        found.append(f"the disk that holds {path} has {free >> 20} MB left: free space before it is full")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > LARGE_WAL:
        found.append(f"{log} has grown to {log.stat().st_size >> 20} MB: a reader has been open for long; restart Weir")
    if path.stat().st_mode & 0o077:
        found.append(f"{path} can be read by other users of this machine: run chmod 600 on it")
    return found


def problems_of_tables(connection: Connection, path: Path) -> list[str]:
    """Trouble inside: damaged pages, rows that miss what they belong to."""
    found = [
        f"{path} is damaged ({row[0]}): stop Weir and put the newest backup in its place"
        for row in connection.execute("PRAGMA quick_check(10)")
        if row[0] != "ok"
    ]
    if found:
        return found
    for what, sql in _ORPHANS.items():
        count = connection.execute(sql).fetchone()[0]
        if count:
            found.append(f"{path} holds {count} {what}: restore the newest backup, then run the audit")
    return found


_ORPHANS = {
    "messages of conversations that are missing": """SELECT count(*) FROM messages m
        WHERE merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = m.conversation)""",
    "conversations without a key": """SELECT count(*) FROM conversations c
        WHERE NOT EXISTS (SELECT 1 FROM conversation_keys k WHERE k.id = c.id)""",
    "messages of channels that are missing": """SELECT count(*) FROM
        (SELECT DISTINCT channel FROM messages) m WHERE NOT EXISTS (SELECT 1 FROM channels c WHERE c.id = m.channel)""",
}
