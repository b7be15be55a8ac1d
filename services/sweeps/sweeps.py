"""Sweeps: every bound channel whose platform gives its history is compared with it, again and again.

A sweep looks back a while, and as far as the last good one when that is longer ago, so that an outage of any length is
filled. Where it found something it looks back farther the next time. One channel's trouble is its own: it is tried
again after a minute, then less and less often, and no other waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.errors import PermanentError, RetriableError
from actors.events import Auth
from actors.keys import channel_key
from connectors.contract.calling import BusyError, DeniedError
from connectors.contract.connector import Connector
from connectors.contract.history import Pace, Window
from services.arrivals.arrivals import Arrivals
from services.channels.bindings import ChannelView
from services.channels.platform_api import Apis
from services.channels.progress import change_row, row_of
from services.channels.secrets import SecretsError
from services.channels.turns import in_turn, turn_of
from services.inbox.desk_news import DeskNews, told_nobody
from services.masking import mask_text
from services.sweeps.counts import Compared
from services.sweeps.lines import Lines, LineStore
from services.sweeps.reconciling import UNDER_WAY_MS, Reconciler, Task
from storage.channel_ports import SweepStore
from storage.channel_records import SweepRow
from streams.coordination.locks import Locks

DAY_MS = 86_400_000
HISTORY_MS = 7 * DAY_MS
"""So much of a channel's past is fetched when it is bound."""
FARTHEST_MS = 30 * DAY_MS
"""An outage longer than this is not filled."""
SLICE_MS = DAY_MS
"""A longer window is compared in parts of this, each of which is done for good."""
DEEPEST_S = 86_400
FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 60_000, 1_800_000
SHORTEST_PATIENCE_S = 60.0
AT_ONCE = 32
TICK_S = 2.0
BOUND_MS = 10_000
"""How long the list of bound channels counts as what is so."""
OWN = "sweep"
"""What of a row's cursor belongs to the sweeps; the rest is that of who reads the channel otherwise."""
_log = structlog.get_logger(__name__)


class SweepingStore(SweepStore, LineStore, Protocol):
    """The parts of a store used here."""


class Channels(Protocol):
    """Which channels are bound; `services.channels.bindings.Bindings` fits."""

    async def bindings(self) -> list[ChannelView]:
        """Every bound channel."""
        ...

    async def connector(self, platform: str, account: str) -> Connector | None:
        """The connector of a bound channel."""
        ...


class Waiting(Protocol):
    """Who knows since when something accepted is not processed; `streams.ports.LogReader` fits."""

    async def waiting_since(self) -> int | None:
        """The gateway's clock (ms) when the oldest unprocessed record was accepted."""
        ...


class Depth(Struct, kw_only=True):
    """What the sweeps remember of a channel, in its row's cursor. Times in ms.

    `since`: messages sent before it were history when the channel was bound; `depth_s`: how far the next sweep looks
    back; `denied`: the platform was told not to accept the authorisation.
    """

    since: int | None = None
    depth_s: int = 0
    denied: bool = False


class _Trouble(Struct):
    times: int = 0
    until: int = 0


def patience_of(pace: Pace) -> float:
    """How long (s) one part of a sweep may take: twice the interval, then it hangs."""
    return max(SHORTEST_PATIENCE_S, 2.0 * pace.sweep_s)


class Sweeper:
    """Sweeps the bound channels of one deployment; any number of processes may run one."""

    def __init__(
        self,
        *,
        store: SweepingStore,
        channels: Channels,
        reconciler: Reconciler,
        arrivals: Arrivals,
        apis: Apis,
        locks: Locks,
        reader: Waiting,
        now: Callable[[], int],
        patience: Callable[[Pace], float] = patience_of,
        tell: DeskNews = told_nobody,
    ) -> None:
        """`now`: the time in ms; `patience`: how long (s) one part of a sweep may take.

        `tell`: who tells open screens of what is noted in a thread.
        """
        self._store = store
        self._channels = channels
        self._reconciler = reconciler
        self._arrivals = arrivals
        self._apis = apis
        self._locks = locks
        self._reader = reader
        self._now = now
        self._patience = patience
        self._lines = Lines(store, now, tell)
        self._troubles: dict[str, _Trouble] = {}
        self._bound: tuple[int, list[ChannelView]] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self.observe: Callable[[str, int], None] | None = None
        """Told of (`checked`, `new`, `edited`, `recalled`, `failed`) and how many, for metrics."""

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        try:
            while True:
                try:
                    await self.begin(self._now())
                except RetriableError as busy:
                    _log.warning("sweeps are put off", reason=str(busy))
                await asyncio.sleep(TICK_S)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End what is under way; it is done again at the next start."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def step(self, now: int) -> None:
        """One round: every channel that is due at `now` (ms) is swept when it returns."""
        await self.begin(now)
        if self._running:
            await asyncio.wait(list(self._running.values()))

    async def begin(self, now: int) -> None:
        """Begin to sweep every channel that is due, apart from those that are being swept."""
        rows = {(row.platform, row.account): row for row in await self._store.sweeps()}
        for view in await self._views(now):
            name = channel_key(view.platform, view.account)
            if name in self._running or len(self._running) >= AT_ONCE:
                continue
            connector = await self._connector(view)
            if connector is None or not connector.capabilities.history:
                continue
            if self._is_due(connector, rows.get((view.platform, view.account)), now):
                task = asyncio.create_task(self._one(connector, view), name=f"sweep {name}")
                self._running[name] = task
                task.add_done_callback(lambda _, name=name: self._running.pop(name, None))

    async def _views(self, now: int) -> list[ChannelView]:
        """Every bound channel; listing them opens their secrets, which is not done at every tick."""
        if self._bound is None or not 0 <= now - self._bound[0] < BOUND_MS:
            self._bound = (now, await self._channels.bindings())
        return self._bound[1]

    async def _connector(self, view: ChannelView) -> Connector | None:
        try:
            return await self._channels.connector(view.platform, view.account)
        except SecretsError:
            return None  # the channel's list says so, with what to do

    def _is_due(self, connector: Connector, row: SweepRow | None, now: int) -> bool:
        trouble = self._troubles.get(_name(connector))
        if trouble is not None:
            return now >= trouble.until
        return row is None or row.ended_at is None or now >= row.ended_at + connector.pace.sweep_s * 1000

    async def _one(self, connector: Connector, view: ChannelView) -> None:
        """Whatever goes wrong with one channel stays with it."""
        name = _name(connector)
        try:
            await in_turn(self._locks, turn_of(name), lambda: self._judged(connector, view))
        except Exception as fault:  # noqa: BLE001 # a connector's own fault must not end the sweeps of all others
            self._put_off(name, 0.0)
            _log.exception("a sweep has failed", channel=name)
            if not isinstance(fault, RetriableError):
                with suppress(RetriableError):
                    await self._failed(connector, f"a fault of this version ({type(fault).__name__}): see the log")

    async def _judged(self, connector: Connector, view: ChannelView) -> None:
        now = self._now()
        row = await self._row(connector)
        if not self._is_due(connector, row, now):
            return  # somebody else was faster
        reason, after, denied = "", 0.0, False
        try:
            await self._sweep(connector, view, row, now)
        except DeniedError as wrong:
            reason, denied = str(wrong), True
            await self._denied(connector, revoked=wrong.revoked)
        except TimeoutError:
            reason = f"the platform's history took longer than {self._patience(connector.pace):g} s; it was broken off"
        except BusyError as busy:
            reason, after = str(busy), busy.retry_after
        except (RetriableError, PermanentError) as wrong:
            reason = str(wrong)
        if not reason:
            self._troubles.pop(_name(connector), None)
            return
        self._put_off(_name(connector), after)
        await self._failed(connector, mask_text(reason), denied=denied)

    async def _sweep(self, connector: Connector, view: ChannelView, row: SweepRow, now: int) -> None:
        depth = _depth(row)
        if depth.since is None:
            depth = await self._first(connector, view, now)
            row = await self._row(connector)
        until = await self._settled(connector, now)
        found = Compared()
        for window in _windows(connector.pace, row, depth, until):
            task = Task(window=window, lost_from=depth.since or 0)
            part = await self._compared(connector, task)
            found.add(part)
            await self._lines.found(connector.platform, connector.binding.account, part.of(sorted(part.repaired)))
            await self._save(connector, swept_to=window.until)
        if depth.denied:
            await self._tell_auth(connector, "ok")
        depth = Depth(since=depth.since, depth_s=_next_depth(connector, depth, found))
        ended = self._now()
        await self._save(
            connector,
            depth,
            began_at=now,
            ended_at=ended,
            checked=found.checked,
            new=found.new,
            duplicate=found.duplicate,
            new_more=found.new,
            failing_since=None,
            reason=None,
        )
        self._tell(found)
        if found.new:
            _log.info("a sweep brought messages in", channel=_name(connector), checked=found.checked, new=found.new)

    async def _first(self, connector: Connector, view: ChannelView, now: int) -> Depth:
        """The channel's past before it was bound, a day at a time; a row of before tells how far it came."""
        start = max(view.created_at, now - DAY_MS)
        at = (await self._row(connector)).swept_to or start - HISTORY_MS
        while at < start:
            until = min(at + SLICE_MS, start)
            task = Task(window=Window(since=at, until=until), purpose="history")
            found = await self._compared(connector, task)
            at = until
            await self._save(connector, swept_to=at, new_more=found.new)
        depth = Depth(since=start, depth_s=connector.pace.depth_s)
        await self._save(connector, depth, swept_to=start)
        return depth

    async def _compared(self, connector: Connector, task: Task) -> Compared:
        async with asyncio.timeout(self._patience(connector.pace)):
            return await self._reconciler.compare(connector, task, self._apis.of(connector))

    async def _settled(self, connector: Connector, now: int) -> int:
        """Up to when (ms) everything that was told is in the store by now."""
        if connector.polls:
            return now + 1
        waiting = await self._reader.waiting_since()
        return (now if waiting is None else min(now, waiting)) - UNDER_WAY_MS

    async def _denied(self, connector: Connector, *, revoked: bool) -> None:
        depth = _depth(await self._row(connector))
        if depth.denied:
            return
        await self._tell_auth(connector, "revoked" if revoked else "expired")

    async def _tell_auth(self, connector: Connector, status: Literal["ok", "expired", "revoked"]) -> None:
        auth = Auth(platform=connector.platform, account=connector.binding.account, status=status)
        await self._arrivals.take(connector, [auth])

    async def _failed(self, connector: Connector, reason: str, *, denied: bool = False) -> None:

        def failed(row: SweepRow) -> SweepRow:
            depth = _depth(row)
            depth.denied = depth.denied or denied
            since = row.failing_since if row.failing_since is not None else self._now()
            cursor = {**row.cursor, OWN: _kept(depth)}
            return replace(row, cursor=cursor, failing_since=since, reason=reason[:500])

        await change_row(self._store, connector.platform, connector.binding.account, failed)
        if self.observe is not None:
            self.observe("failed", 1)
        _log.warning("a channel cannot be swept", channel=_name(connector), reason=reason)

    def _put_off(self, name: str, after_s: float) -> None:
        trouble = self._troubles.setdefault(name, _Trouble())
        wait = min(FIRST_BACKOFF_MS * 2**trouble.times, LONGEST_BACKOFF_MS)
        trouble.times = min(trouble.times + 1, 16)
        trouble.until = self._now() + max(wait, round(after_s * 1000))

    async def _row(self, connector: Connector) -> SweepRow:
        return await row_of(self._store, connector.platform, connector.binding.account)

    async def _save(
        self, connector: Connector, depth: Depth | None = None, *, new_more: int = 0, **changes: Any
    ) -> None:
        """Change what is ours of the channel's row; who reads the channel otherwise changes the rest."""

        def changed(row: SweepRow) -> SweepRow:
            cursor = row.cursor if depth is None else {**row.cursor, OWN: _kept(depth)}
            return replace(row, cursor=cursor, new_ever=row.new_ever + new_more, **changes)

        await change_row(self._store, connector.platform, connector.binding.account, changed)

    def _tell(self, found: Compared) -> None:
        if self.observe is not None:
            for name in ("checked", "new", "edited", "recalled"):
                self.observe(name, getattr(found, name))


def since_of(row: SweepRow | None) -> int:
    """Since when (ms) a channel's messages are no history; 0 while nobody knows."""
    return 0 if row is None else _depth(row).since or 0


def _windows(pace: Pace, row: SweepRow, depth: Depth, until: int) -> list[Window]:
    """What to compare, in parts: from the depth or the end of the last sweep on, whichever is earlier."""
    since = until - max(depth.depth_s, pace.depth_s) * 1000
    if row.swept_to is not None:
        since = min(since, row.swept_to)
    at = max(since, until - FARTHEST_MS, depth.since or 0)
    windows: list[Window] = []
    while at < until:
        windows.append(Window(since=at, until=min(at + SLICE_MS, until)))
        at = windows[-1].until
    return windows


def _next_depth(connector: Connector, depth: Depth, found: Compared) -> int:
    """Twice as deep after a sweep that found something, up to a day; half as deep after one that did not."""
    least = connector.pace.depth_s
    deep = max(depth.depth_s, least)
    if found.new and not connector.polls:
        return max(least, min(deep * 2, DEEPEST_S))
    return max(least, deep // 2)


def _depth(row: SweepRow) -> Depth:
    kept: Mapping[str, Any] = row.cursor.get(OWN) or {}
    return Depth(since=kept.get("since"), depth_s=kept.get("depth_s", 0), denied=kept.get("denied", False))


def _kept(depth: Depth) -> dict[str, Any]:
    return {"since": depth.since, "depth_s": depth.depth_s, "denied": depth.denied}


def _name(connector: Connector) -> str:
    return channel_key(connector.platform, connector.binding.account)


__all__ = ["Channels", "Sweeper", "Waiting", "patience_of", "since_of"]
