"""Signs of life: every process of a deployment says once a second, in the store, that it is there and how it is.

They go by the store and not by the live bus, so that the monitor knows of every process while the bus is down.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
from collections.abc import Callable

import msgspec
import structlog
from msgspec import Struct, field

from actors.errors import RetriableError
from storage.ports import ProcessStore
from storage.records import ProcessBeat

log = structlog.get_logger(__name__)

PERIOD_S = 1.0
FORGOTTEN_AFTER_MS = 86_400_000


class Report(Struct, kw_only=True, omit_defaults=True):
    """What a process says of itself. Spans in ms; times in ms of its gateway's clock.

    `ages`: by part, for how long it has given no sign of life; `lag` in records and `watermark` (how far time has
    passed) by partition; `waiting_ms`: the age of the oldest entry that is not saved; `unsaved` in entries;
    `thresholds`: the version in force; `stopped`: an orderly end, its last word.
    """

    ready: bool = False
    stopped: bool = False
    ages: dict[str, int] = field(default_factory=dict[str, int])
    troubles: list[str] = field(default_factory=list[str])
    lag: dict[int, int] = field(default_factory=dict[int, int])
    watermark: dict[int, int] = field(default_factory=dict[int, int])
    waiting_ms: int | None = None
    unsaved: int = 0
    processed: int = 0
    thresholds: int = 0
    loop_lag_ms: int = 0


def report_of(beat: ProcessBeat) -> Report:
    """What the process said; an empty report when it is of a version that spoke otherwise."""
    try:
        return msgspec.convert(beat.health, Report, strict=False)
    except msgspec.ValidationError:
        return Report()


def process_name(role: str) -> str:
    """A name for this process that no other has: role, machine, and something random."""
    machine = re.sub(r"[^A-Za-z0-9.-]+", "-", socket.gethostname())[:60] or "host"
    return f"{role}-{machine}-{os.getpid()}-{secrets.token_hex(2)}"


class SignOfLife:
    """Writes the beats of one process. `report` is asked each time; it never waits for anything."""

    def __init__(
        self,
        store: ProcessStore,
        now: Callable[[], int],
        *,
        role: str,
        version: str,
        report: Callable[[], Report],
        partitions: Callable[[], list[int]] = list,
    ) -> None:
        self.process = process_name(role)
        self._store = store
        self._now = now
        self._role = role
        self._version = version
        self._report = report
        self._partitions = partitions
        self._started_at = now()
        self._trouble = False

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._tell(self._report(), self._partitions())
            await asyncio.sleep(PERIOD_S)

    async def last_word(self) -> None:
        """Say that the process ends in order, so that nobody waits for it."""
        await self._tell(Report(stopped=True), [])

    async def _tell(self, report: Report, partitions: list[int]) -> None:
        beat = ProcessBeat(
            process=self.process,
            role=self._role,
            at=self._now(),
            started_at=self._started_at,
            version=self._version,
            partitions=partitions,
            health=msgspec.to_builtins(report, str_keys=True),
        )
        try:
            await self._store.beat(beat)
            self._trouble = False
        except RetriableError as wrong:
            if not self._trouble:
                log.warning("no sign of life can be written; the others take this process for gone", why=str(wrong))
            self._trouble = True


__all__ = ["Report", "SignOfLife", "report_of"]
