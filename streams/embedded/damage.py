"""Records the disk has spoilt: found at the log's end when it is opened, moved aside, told in words.

A damaged record gives way to an empty frame at its offset, so that offsets stay contiguous and none is used twice.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from streams.embedded.schema import offset_of, record_id
from streams.embedded.writer import Places
from streams.frames import FrameDamagedError, assemble, verify

logger = logging.getLogger(__name__)


def mend_tails(db: sqlite3.Connection, path: Path, places: Places, consumer: str) -> None:
    """Move damaged records at the end of each partition to the quarantine, back to the first intact one."""
    for partition in range(len(places.ends)):
        committed = places.committed.get(consumer, {}).get(partition, 0)
        rows = db.execute(
            "SELECT id, wall, data FROM record WHERE id >= ? AND id < ? ORDER BY id DESC",
            (record_id(partition, 0), record_id(partition + 1, 0)),
        )
        damaged: list[tuple[int, int, bytes, str]] = []
        for row_id, wall, data in rows:
            try:
                verify(data)
            except FrameDamagedError as error:
                damaged.append((row_id, wall, data, str(error)))
            else:
                break
        rows.close()
        for row_id, wall, data, reason in damaged:
            _move_aside(db, row_id, wall, data, reason, processed=offset_of(row_id) < committed)
            logger.error(
                "%s: %s",
                path,
                _sentence(partition, offset_of(row_id), wall, reason, offset_of(row_id) < committed),
            )


def problems(db: sqlite3.Connection) -> list[str]:
    """What was ever found damaged and is still in the quarantine, as sentences."""
    rows = db.execute("SELECT partition, offset, wall, reason, processed FROM quarantine ORDER BY partition, offset")
    return [
        _sentence(partition, offset, wall, reason, bool(processed))
        for partition, offset, wall, reason, processed in rows
    ]


def _move_aside(db: sqlite3.Connection, row_id: int, wall: int, data: bytes, reason: str, *, processed: bool) -> None:
    partition = row_id - offset_of(row_id) >> 48
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?, ?)",
        (partition, offset_of(row_id), wall, reason, processed, data),
    )
    db.execute("UPDATE record SET data = ? WHERE id = ?", (assemble(wall, []), row_id))
    db.execute("COMMIT")


def _sentence(partition: int, offset: int, wall: int, reason: str, processed: bool) -> str:  # noqa: FBT001 # private
    fate = (
        "it had been processed before, so nothing is lost"
        if processed
        else "it was acknowledged and not yet processed: resync the channels of that time to get its messages again"
    )
    place = f"record {offset} of partition {partition}, accepted at {wall} ms,"
    return f"{place} is damaged and was moved aside ({reason}); {fate}"
