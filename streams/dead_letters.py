"""What cannot be applied is kept with its bytes and reason, and can be submitted again later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec
from structlog.contextvars import bound_contextvars

from actors.errors import PermanentError
from actors.events import Entry, Rejected
from actors.keys import channel_key
from storage.ports import HealthStore
from storage.records import DeadLetter
from streams.frames import BadEntry, encode_entry
from streams.ports import Gateway, LogRecord

logger = logging.getLogger(__name__)

WHOLE_FRAME = -1

_decode_entry = msgspec.msgpack.Decoder(Entry).decode


def of_frame(partition: int, offset: int, wall: int, data: bytes, error: Exception) -> DeadLetter:
    """A record that is no frame. `wall` in ms."""
    logger.error("record %d of partition %d is dead-lettered: %s", offset, partition, error)
    return DeadLetter(partition=partition, offset=offset, index=WHOLE_FRAME, at=wall, reason=str(error), raw=data)


def of_bad_entries(
    partition: int, offset: int, wall: int, entries: Sequence[Entry | BadEntry]
) -> tuple[list[Entry], list[DeadLetter]]:
    """The entries, unreadable ones standing as rejected (so that the ledger counts them), and their dead letters."""
    readable: list[Entry] = []
    letters: list[DeadLetter] = []
    for entry in entries:
        if not isinstance(entry, BadEntry):
            readable.append(entry)
            continue
        reason = f"the log entry cannot be read: {entry.reason}"
        readable.append(Rejected(at=wall, reason=reason, raw=entry.raw))
        letters.append(
            DeadLetter(partition=partition, offset=offset, index=entry.index, at=wall, reason=reason, raw=entry.raw)
        )
        logger.error(
            "entry %d of record %d of partition %d is dead-lettered: unreadable", entry.index, offset, partition
        )
    return readable, letters


def of_plain(record: LogRecord, reason: str) -> DeadLetter:
    """A record that somebody else wrote and that holds no event Weir can read."""
    logger.error("record %d of partition %d is dead-lettered: no readable event", record.offset, record.partition)
    return DeadLetter(
        partition=record.partition, offset=record.offset, index=0, at=record.wall, reason=reason, raw=record.data
    )


def of_failures(
    partition: int,
    place: Callable[[int], tuple[int, int]],
    wall: int,
    entries: Sequence[Entry],
    failures: Sequence[tuple[int, Exception]],
) -> list[DeadLetter]:
    """Dead letters of what the engine could not apply; `place` gives an entry's (offset, index within its record).

    Log lines tell the place only: errors may quote customers.
    """
    letters: list[DeadLetter] = []
    for number, error in failures:
        entry = entries[number]
        offset, index = place(number)
        letters.append(
            DeadLetter(
                partition=partition,
                offset=offset,
                index=index,
                at=wall,
                reason=f"{type(error).__name__}: {error}",
                raw=encode_entry(entry),
                channel=channel_key(entry.platform or "", entry.account or "") if entry.platform else "",
            )
        )
        with bound_contextvars(conversation=getattr(entry, "conversation", None)):
            logger.error(
                "entry %d (%s) of record %d of partition %d is dead-lettered: %s at %s",
                index,
                type(entry).__name__,
                offset,
                partition,
                type(error).__name__,
                _raised_at(error),
            )
    return letters


async def resubmit(letter: DeadLetter, gateway: Gateway, store: HealthStore) -> Entry:
    """Submit a dead letter's entry again, with its old observed time, and mark it resolved; the entry submitted.

    Raises PermanentError when its bytes are no entry (a whole damaged frame, an entry of another version).
    """
    if letter.index == WHOLE_FRAME:
        raise PermanentError("a damaged frame cannot be submitted again: resync the channels of that time")
    try:
        entry = _decode_entry(letter.raw)
    except msgspec.DecodeError as error:
        raise PermanentError(f"the entry still cannot be read: {error}") from error
    await gateway.submit([entry])
    await store.resolve_dead_letter(letter, gateway.now())
    return entry


def _raised_at(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "unknown" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
