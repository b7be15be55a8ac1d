"""A replay's scratch file: what does not fit in memory, in an unnamed temporary database that goes with the process.

It is no store of the product's: nothing is kept, nothing is shared, no file name is ever seen.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from actors.anomaly import Anomaly
from actors.sla import Clock
from storage.records import StateRow

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32000;
CREATE TABLE states (key TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE anomalies (id TEXT PRIMARY KEY, opened_at INTEGER, kind TEXT, data BLOB) WITHOUT ROWID;
CREATE TABLE delays (channel TEXT, delay INTEGER, count INTEGER, PRIMARY KEY (channel, delay)) WITHOUT ROWID;
CREATE TABLE times (block INTEGER PRIMARY KEY, times BLOB);
CREATE TABLE clocks (key TEXT, ordinal INTEGER, started_at INTEGER, data BLOB, PRIMARY KEY (key, ordinal))
 WITHOUT ROWID;
"""
_encode = msgspec.msgpack.Encoder().encode
_anomaly = msgspec.msgpack.Decoder(Anomaly)
_clock = msgspec.msgpack.Decoder(Clock)
_KEYS_AT_ONCE = 500


class Scratch:
    """Encoded states by key, blocks of sent times, and what the report needs of every delay, anomaly and SLA clock."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)
        self.spilled = False
        """Whether any state is kept."""

    def put_states(self, rows: Iterable[StateRow]) -> None:
        """Keep these states; later ones replace earlier ones."""
        self._write("INSERT OR REPLACE INTO states VALUES (?, ?)", ((row.key, row.state) for row in rows))
        self.spilled = True

    def states(self, keys: Sequence[str]) -> Iterator[StateRow]:
        """The states kept under these keys; unknown keys are left out."""
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, state FROM states WHERE key IN ({marks})"  # noqa: S608 # question marks only
            for key, state in self._db.execute(query, some):
                yield StateRow(key, state)

    def state_keys(self) -> Iterator[list[str]]:
        """Every key, a few hundred at a time, in order."""
        last = ""
        while True:
            query = "SELECT key FROM states WHERE key > ? ORDER BY key LIMIT ?"
            some = [key for (key,) in self._db.execute(query, (last, _KEYS_AT_ONCE))]
            if not some:
                return
            yield some
            last = some[-1]

    def put_anomalies(self, anomalies: Iterable[Anomaly]) -> None:
        """Keep these; a later record of the same id replaces an earlier one."""
        rows = ((a.id, a.opened_at, a.kind, _encode(a)) for a in anomalies)
        self._write("INSERT OR REPLACE INTO anomalies VALUES (?, ?, ?, ?)", rows)

    def anomalies(self) -> Iterator[Anomaly]:
        """By opened_at, kind, id."""
        for (data,) in self._db.execute("SELECT data FROM anomalies ORDER BY opened_at, kind, id"):
            yield _anomaly.decode(data)

    def put_clocks(self, clocks: Iterable[tuple[tuple[str, int], Clock]]) -> None:
        """Keep these, by (conversation key, ordinal); later ones replace earlier ones."""
        rows = ((key, ordinal, clock.started_at, _encode(clock)) for (key, ordinal), clock in clocks)
        self._write("INSERT OR REPLACE INTO clocks VALUES (?, ?, ?, ?)", rows)

    def clocks(self) -> Iterator[tuple[str, Clock]]:
        """(conversation key, clock) by started_at, key, ordinal."""
        for key, data in self._db.execute("SELECT key, data FROM clocks ORDER BY started_at, key, ordinal"):
            yield key, _clock.decode(data)

    def add_delays(self, channel: str, counts: Mapping[int, int]) -> None:
        """Count a channel's delays (ms): how often each was seen since the last call."""
        more = "INSERT INTO delays VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
        self._write(more, ((channel, delay, count) for delay, count in counts.items()))

    def delays(self, channel: str) -> Iterator[tuple[int, int]]:
        """(delay in ms, how often it was seen) of a channel, by delay."""
        yield from self._db.execute("SELECT delay, count FROM delays WHERE channel = ? ORDER BY delay", (channel,))

    def delays_counted(self, channel: str) -> int:
        """How many delays of a channel were seen."""
        (total,) = self._db.execute("SELECT total(count) FROM delays WHERE channel = ?", (channel,)).fetchone()
        return int(total)

    def put_times(self, times: array[int]) -> int:
        """Keep a block of instants; returns its number."""
        return self._db.execute("INSERT INTO times (times) VALUES (?)", (times.tobytes(),)).lastrowid or 0

    def times(self, block: int) -> array[int]:
        """A block of instants, as it was put there."""
        (kept,) = self._db.execute("SELECT times FROM times WHERE block = ?", (block,)).fetchone()
        return array("q", kept)

    def close(self) -> None:
        """Delete the file."""
        self._db.close()

    def _write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")
