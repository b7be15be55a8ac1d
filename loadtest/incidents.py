"""Troubles of whole channels: falling behind, falling silent, losing the authorisation."""

from __future__ import annotations

from collections.abc import Callable

from loadtest.plan import Plan
from loadtest.shapes import HOUR_MS
from loadtest.world import NEVER, RECENT, Channel, Slowness, World, event_of

SILENCE_LEAST_MS = 100_000
SILENCE_MOST_MS = 20 * 60_000
SILENCE_EXPECTED = 32
"""A silence lasts until so many messages were to be expected; the detector waits for 13.8 ..."""
SILENCE_EXPECTED_AT_LEAST = 18
"""... and would still see it if it counted the silent time as lived through."""
SILENCE_LEARNED = 80
SILENCE_LEARNED_IN_HOUR = 40
SILENCE_LIVED_MS = 120_000
PACE_LEAST_MS, PACE_MOST_MS = 150, 4_000
"""Only a channel this busy tips its median before the story gets too long, and not for hundreds of messages."""
SLOW_MESSAGES = 28
DAY_MS = 86_400_000


class Incidents:
    """Starts what is due on the first channel that suits it."""

    def __init__(self, world: World, plan: Plan, resume: Callable[[int, Channel], None]) -> None:
        self._world = world
        self._plan = plan
        self._resume = resume

    def attempt(self, at: int, channel: Channel) -> None:
        """A channel was just heard: may one of the troubles that are due begin here?"""
        for kind in self._plan.incidents:
            match kind:
                case "delay_channel":
                    begun = self._slow(at, channel)
                case "silence":
                    begun = self._silence(at, channel)
                case _:
                    begun = self._auth(at, channel)
            if begun:
                self._plan.done(self._plan.incidents, kind)
                return

    def _slow(self, at: int, channel: Channel) -> bool:
        calm = channel.absent_late == 0 and channel.over == 0 and len(channel.recent) == RECENT
        free = channel.slow is None and channel.slow_open is None and channel.muted_until <= at
        if not calm or not free or channel.shop.ahead_ms or not PACE_LEAST_MS <= channel.pace_ms <= PACE_MOST_MS:
            return False
        channel.slow = Slowness(at, self._world.between(42, 75), SLOW_MESSAGES)
        return True

    def _silence(self, at: int, channel: Channel) -> bool:
        messages, lived = channel.hours[at // HOUR_MS % 24]
        free = channel.slow is None and channel.slow_open is None and channel.absent_late == 0
        known = channel.learned >= SILENCE_LEARNED and messages >= SILENCE_LEARNED_IN_HOUR and lived >= SILENCE_LIVED_MS
        if not free or not known or channel.muted_until > at:
            return False
        lived += channel.idle_ms  # some count from the first message on, some from the first event
        gap = max(SILENCE_LEAST_MS, int(SILENCE_EXPECTED * lived / messages))
        within_hour = (at + gap) // HOUR_MS == at // HOUR_MS
        seen_anyway = messages * gap / (lived + gap) >= SILENCE_EXPECTED_AT_LEAST
        if gap > SILENCE_MOST_MS or not within_hour or not seen_anyway:
            return False
        channel.silent_since = at
        channel.muted_until = at + gap
        channel.guard_at = NEVER
        self._world.call(channel.muted_until, self._resume, channel)
        return True

    def _auth(self, at: int, channel: Channel) -> bool:
        world = self._world
        if not channel.authorised:
            return False
        channel.authorised = False
        opens = at
        if world.rng.random() < 0.3:  # noqa: PLR2004 # announced, and nobody renewed it in time
            opens = at + world.between(30, 120)
            world.post(at, event_of("auth", channel, at, status="expiring", expires_at=opens))
        else:
            status = "expired" if world.rng.random() < 0.6 else "revoked"  # noqa: PLR2004
            world.post(at, event_of("auth", channel, at, status=status))
        world.call(opens + world.between(45, 400), self._authorised, channel)
        world.expect("channel_silent", "auth", channel, opened_at=opens, resolution="authorised")
        return True

    def _authorised(self, at: int, channel: Channel) -> dict[str, object]:
        channel.authorised = True
        return event_of("auth", channel, at, status="ok", expires_at=at + 60 * DAY_MS)
