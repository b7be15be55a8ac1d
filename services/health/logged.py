"""The entries of a log record for those who read the log back: frames, and plain records that somebody else wrote."""

from __future__ import annotations

from collections.abc import Sequence

from actors.events import Entry
from streams.frames import BadEntry, decode_frame, decode_leniently
from streams.ports import LogRecord
from streams.reading import RecordReader, is_plain


class _Every:
    """Holds every channel: where a record lies was judged when it was applied."""

    def __contains__(self, channel: object) -> bool:
        return True


EVERY = _Every()


def entries_of(record: LogRecord) -> Sequence[Entry]:
    """The entries. Raises FrameDamagedError."""
    return _plain(record, None) if is_plain(record.data) else decode_frame(record.data).entries


def entries_leniently(record: LogRecord, partitions: int) -> Sequence[Entry | BadEntry]:
    """The entries as the engine counts them, unreadable ones too. Raises FrameDamagedError when nothing can be read."""
    return _plain(record, partitions) if is_plain(record.data) else decode_leniently(record.data)[1]


def _plain(record: LogRecord, partitions: int | None) -> Sequence[Entry]:
    reader = RecordReader(record.partition, partitions or 1, () if partitions else EVERY)
    return [entry for portion in reader.portions([record]) for entry in portion.entries]


__all__ = ["entries_leniently", "entries_of"]
