"""The SQLite adapter: one file, one writer thread, a few reader threads. Nothing outside storage/ may import sqlite3.

`store.py` composes the groups of the port, one file each; `connection.py` owns the threads, `schema.py` the tables,
`save.py` the one hot write. A new table is a new migration at the end of `schema.MIGRATIONS`.
"""

from storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
