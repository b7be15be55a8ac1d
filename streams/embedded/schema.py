"""The log's SQLite file: tables, pragmas, connections, and what SQLite's errors mean for Weir.

A record's row id is `partition << 48 | offset`: appends go to the end of one run of keys per partition, and a range
of offsets is a range of keys.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from actors.errors import ConfigurationError, WeirError
from streams.ports import LogFullError

SCHEMA_VERSION = 1
OFFSET_BITS = 48
PAGE_BYTES = 4096
BUSY_MS = 1000
CHECKPOINT_PAGES = 4000

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE record (id INTEGER PRIMARY KEY, wall INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE trimmed (partition INTEGER PRIMARY KEY, start INTEGER NOT NULL);
CREATE TABLE committed (
    consumer TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (consumer, partition));
CREATE TABLE quarantine (
    partition INTEGER NOT NULL, offset INTEGER NOT NULL, wall INTEGER NOT NULL, reason TEXT NOT NULL,
    processed INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (partition, offset));
"""


class LogDamagedError(ConfigurationError):
    """The log's file is damaged; the message says which file and how to go on."""


class LogInUseError(ConfigurationError):
    """Another process owns this log."""


def record_id(partition: int, offset: int) -> int:
    """The row id of a record."""
    return partition << OFFSET_BITS | offset


def offset_of(row_id: int) -> int:
    """The offset in a row id."""
    return row_id & ((1 << OFFSET_BITS) - 1)


def connect(path: Path, *, limit_bytes: int | None = None) -> sqlite3.Connection:
    """A writing connection, tables there; raises LogDamagedError. A new file is for its owner's eyes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        db.execute(f"PRAGMA page_size={PAGE_BYTES}")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        db.execute(f"PRAGMA journal_size_limit={CHECKPOINT_PAGES * PAGE_BYTES * 4}")
        if limit_bytes is not None:
            db.execute(f"PRAGMA max_page_count={max(1, limit_bytes // PAGE_BYTES)}")
        _create(db, path)
    except sqlite3.Error as error:
        raise translate(error, path) from error
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A reading connection to a log that exists; raises LogDamagedError or ConfigurationError."""
    if not path.exists():
        raise ConfigurationError(f"there is no log at {path}: check the data directory, or start Weir once")
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        db.execute("PRAGMA query_only=1")
    except sqlite3.Error as error:
        raise translate(error, path) from error
    return db


def created_with(db: sqlite3.Connection, partitions: int | None = None) -> int:
    """How many partitions the log was created with; a new log takes `partitions`."""
    if partitions is not None:
        db.execute("INSERT OR IGNORE INTO meta VALUES ('partitions', ?)", (partitions,))
    row = db.execute("SELECT value FROM meta WHERE name = 'partitions'").fetchone()
    return 0 if row is None else row[0]


def translate(error: sqlite3.Error, path: Path) -> WeirError:
    """What an SQLite error means: LogFullError (come back later) or LogDamagedError (stop)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return LogFullError(f"the log {path} is locked by another program; close that program")
    if code == sqlite3.SQLITE_FULL:
        return LogFullError(f"there is no room for the log {path}: free disk space or shorten the retention")
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return LogFullError(f"the log {path} cannot be written ({error}): check the disk and the file's permissions")
    return LogDamagedError(
        f"the log {path} is damaged ({error}): stop Weir, keep a copy of the file and its -wal, restore a backup"
    )


def is_locked(error: sqlite3.Error) -> bool:
    """Whether waiting may help by itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _create(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
    elif found != SCHEMA_VERSION:
        raise ConfigurationError(
            f"the log {path} has version {found}, this Weir knows {SCHEMA_VERSION}: start the Weir that wrote it"
        )
