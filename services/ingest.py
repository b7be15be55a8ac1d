"""Takes batches of events in: parsed, stamped, refused one by one, and handed to the log in one call.

Returns only when everything is durable, refused events included: they are journalled with their reason so that the
ledger balances. Heavy batches give way to the event loop every few milliseconds.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter

from msgspec import Struct

from actors.errors import RejectedError
from actors.events import Entry, Event, Rejected
from actors.intake import channel_hint, parse_event, split_batch, stamp
from actors.intake_runs import parse_run
from streams.ports import Gateway

SLICE_S = 0.005
BIG_BODY = 256 * 1024
RUN_EVENTS = 200
RUN_BYTES = 128 * 1024
MOST_RAW = 64 * 1024
MOST_AHEAD_MS = 48 * 3_600_000


class Refusal(Struct, frozen=True):
    """An event that was refused: its place in the batch (from 0) and why."""

    index: int
    error: str


class Receipt(Struct, frozen=True):
    """What became of a batch."""

    accepted: int
    rejected: list[Refusal]


class BatchTooLargeError(RejectedError):
    """More events in one batch than allowed: send it in parts."""


class UnreadableBatchError(RejectedError):
    """The body as a whole is no batch: nothing of it was looked at."""


class Ingest:
    """The way in for canonical events."""

    def __init__(self, gateway: Gateway, *, most_events: int = 50_000) -> None:
        self._gateway = gateway
        self._most = most_events
        self.observe: Callable[[int, int], None] | None = None
        """Told (accepted, rejected) after every batch, for metrics."""

    async def accept(self, body: bytes, content_type: str | None) -> Receipt:
        """Take a batch (JSON array, one object, or NDJSON).

        Raises UnreadableBatchError, BatchTooLargeError, OverloadedError or LogFullError; then nothing was accepted.
        """
        raws = await self._split(body, content_type)
        entries, refusals = await self._parse(raws)
        if entries:
            await self._gateway.submit(entries)
        accepted = len(raws) - len(refusals)
        if self.observe:
            self.observe(accepted, len(refusals))
        return Receipt(accepted, refusals)

    async def _split(self, body: bytes, content_type: str | None) -> list[tuple[int, bytes]]:
        def split() -> list[tuple[int, bytes]]:
            raws: list[tuple[int, bytes]] = []
            try:
                raws += islice(split_batch(body, content_type), self._most + 1)
            except RejectedError as wrong:
                raise UnreadableBatchError(str(wrong)) from wrong
            if len(raws) > self._most:
                raise BatchTooLargeError(f"more than {self._most} events in one batch; send it in parts")
            return raws

        return await asyncio.to_thread(split) if len(body) > BIG_BODY else split()

    async def _parse(self, raws: list[tuple[int, bytes]]) -> tuple[list[Entry], list[Refusal]]:
        entries: list[Entry] = []
        refusals: list[Refusal] = []
        now, until = self._gateway.now(), perf_counter() + SLICE_S
        for run in _runs(raws):
            events = parse_run([raw for _, raw in run], need_at=False)
            if events is not None and all(is_timely(event, now) for event in events):
                for event in events:
                    stamp(event, now)
                entries += events
            else:
                for index, raw in run:
                    entries.append(_parsed(index, raw, now, refusals))
                    if perf_counter() > until:
                        await asyncio.sleep(0)
                        until = perf_counter() + SLICE_S
            if perf_counter() > until:
                await asyncio.sleep(0)
                until = perf_counter() + SLICE_S
        return entries, refusals


def _runs(raws: list[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Pieces of a batch that are parsed at one go, each within a few milliseconds."""
    run: list[tuple[int, bytes]] = []
    size = 0
    for item in raws:
        run.append(item)
        size += len(item[1])
        if len(run) >= RUN_EVENTS or size >= RUN_BYTES:
            yield run
            run, size = [], 0
    if run:
        yield run


def _parsed(index: int, raw: bytes, now: int, refusals: list[Refusal]) -> Entry:
    """The event, stamped, or what stands for it when it is refused."""
    try:
        event = check_ahead(parse_event(raw, need_at=False), now)
    except RejectedError as wrong:
        refusals.append(Refusal(index, str(wrong)))
        return refused(raw, str(wrong), now)
    stamp(event, now)
    return event


def is_timely(event: Event, now: int) -> bool:
    """Whether an event was not observed far ahead of `now` (ms)."""
    return event.at is None or event.at <= now + MOST_AHEAD_MS


def check_ahead(event: Event, now: int) -> Event:
    """The event itself; raises RejectedError when it was observed far ahead of `now` (ms)."""
    if not is_timely(event, now):
        raise RejectedError("`at` is more than 48 hours ahead of Weir's clock; send the time of observation")
    return event


def refused(raw: bytes, reason: str, now: int) -> Rejected:
    """The journal entry of a refused event, with its channel where that can still be read."""
    platform, account = channel_hint(raw)
    return Rejected(at=now, reason=reason, raw=raw[:MOST_RAW], platform=platform, account=account)
