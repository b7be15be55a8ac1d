# pyright: basic
# The records of aiokafka's fetches are compiled and not annotated for this use.
# ruff: noqa: SLF001 # the client has no public way to read a batch at a time
"""Records out of fetched batches, batch by batch, without the client's object per record.

The client takes a record at a time through three generators and fills eleven fields of it; Weir needs offset, time
and value. A stretch of a thousand small records costs a fifth that way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.ports import LogRecord

if TYPE_CHECKING:
    from aiokafka.consumer.fetcher import FetchResult


def unpack(result: FetchResult) -> list[LogRecord]:
    """Everything of a fetched partition, its position moved behind it; empty when it was fetched for another position.

    Checksums of batches are not proven: frames carry their own, and a plain record is parsed strictly.
    """
    part: Any = result._partition_records
    if part is None or not result.check_assignment(result._topic_partition):
        return []
    number, position = result._topic_partition.partition, part.next_fetch_offset
    records: list[LogRecord] = []
    while part._records.has_next():
        batch = part._records.next_batch()
        if not batch.is_control_batch:
            found = [
                LogRecord(number, r.offset, at if (at := r.timestamp) and at > 0 else 0, r.value or b"") for r in batch
            ]
            # A batch begins before the position when reading resumes in its middle.
            records += found if not found or found[0].offset >= position else [r for r in found if r.offset >= position]
        position = max(position, batch.next_offset)
    part.next_fetch_offset = position
    result._update_position()
    return records


__all__ = ["unpack"]
