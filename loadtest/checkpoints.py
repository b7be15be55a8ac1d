"""What the platforms themselves say they hold: a checkpoint for every window of every channel."""

from __future__ import annotations

from loadtest.arrivals import SYNC_GRACE_MS, Arrivals
from loadtest.plan import Plan
from loadtest.world import Channel, Event, World, event_of

SAID_AFTER_MS = 35_000
"""So long after a window's end its checkpoint comes: every message on the usual way was seen by then."""


class Checkpoints:
    """Says the truth about every window, except where a disagreement is due. Windows with a loss are passed over."""

    def __init__(self, world: World, plan: Plan, arrivals: Arrivals) -> None:
        self._world = world
        self._plan = plan
        self._arrivals = arrivals

    def start(self, channel: Channel) -> None:
        """Put the first checkpoint of a channel on the agenda."""
        self._schedule(channel, channel.first_window + 1)

    def _schedule(self, channel: Channel, number: int) -> None:
        ends = (number + 1) * channel.window_ms - channel.shop.ahead_ms
        self._world.call(ends + SAID_AFTER_MS, self._check, (channel, number))

    def _check(self, at: int, subject: tuple[Channel, int]) -> Event | None:
        channel, number = subject
        if not self._world.closing:
            self._schedule(channel, number + 1)
        window = channel.windows.get(number)
        for past in [n for n in channel.windows if n <= number]:
            del channel.windows[past]
        if window is None:
            return None
        start = number * channel.window_ms
        if window.hidden is not None and (hidden := window.hidden.hidden) is not None:
            alone = window.absent == 1
            if alone:
                hidden.noticed, hidden.since = at, start
            self._arrivals.deliver_hidden(at, window.hidden, resync=True)
            return self._said(at, channel, start, window.held + 1) if alone else None
        if window.absent or not window.held:
            return None
        if "out_of_sync" in self._plan.due:
            self._plan.done(self._plan.due, "out_of_sync")
            return self._disagree(at, channel, start, window.held)
        return self._said(at, channel, start, window.held)

    def _disagree(self, at: int, channel: Channel, start: int, held: int) -> Event:
        world = self._world
        agrees = at + SYNC_GRACE_MS + world.between(10, 300) if world.rng.random() < 0.65 else None  # noqa: PLR2004
        if agrees:
            world.post(agrees, self._said(agrees, channel, start, held))
        world.expect(
            "out_of_sync",
            "count",
            channel,
            since=start,
            opened_at=at + SYNC_GRACE_MS,
            resolution="agreed" if agrees else None,
        )
        return self._said(at, channel, start, held + 1 + int(world.rng.random() * 3))

    def _said(self, at: int, channel: Channel, start: int, count: int) -> Event:
        return event_of("checkpoint", channel, at, count=count, **{"from": start, "to": start + channel.window_ms})
