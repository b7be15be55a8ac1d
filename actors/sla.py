"""SLA clocks (SPEC section 4): first response, next response, resolution; business time only.

`SlaState` is the part of a conversation's state that keeps its deadlines. Its functions return the clocks that changed;
`due` tells when to look again. An answer observed at the due instant is in time.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from actors.calendar import Calendar

ClockKind: TypeAlias = Literal["first_response", "next_response", "resolution"]
NEVER = 2**62


class Policy(Struct, frozen=True, kw_only=True):
    """Targets in ms (None: not watched), and what it applies to: empty tuples mean everything. First match wins."""

    name: str = "default"
    first_response_ms: int | None = 30 * 60_000
    next_response_ms: int | None = 60 * 60_000
    resolution_ms: int | None = 24 * 3_600_000
    warning_ratio: float = 0.8
    calendar: Calendar = field(default_factory=Calendar)
    bot_answers: bool = False
    platforms: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()


class Clock(Struct, array_like=True, gc=False):
    """One deadline; all times in ms. `ordinal` numbers the clocks of a conversation from 0."""

    ordinal: int
    kind: ClockKind
    started_at: int
    due_at: int
    warn_at: int
    warned_at: int | None = None
    breached_at: int | None = None
    answered_at: int | None = None
    stopped: bool = False

    def next_instant(self) -> int:
        """When the clock is to warn or to breach next (ms); NEVER when it did both."""
        if self.warned_at is None and (self.warn_at < self.due_at or self.breached_at is not None):
            return self.warn_at
        return self.due_at if self.breached_at is None else NEVER


class Stopwatch(Struct, array_like=True, gc=False):
    """Business time spent on something that can be put on hold; holds may overlap and count once."""

    spent: int = 0
    since: int | None = None
    holds: int = 0
    held_at: int = 0

    def start(self, at: int) -> None:
        """Run from `at` (ms); never counts time before the last hold began."""
        if self.since is None and not self.holds:
            self.since = max(at, self.held_at)

    def hold(self, at: int, calendar: Calendar) -> None:
        """Put on hold at `at` (ms); a second hold inside the first changes nothing until both are released."""
        self.holds += 1
        if self.since is not None:
            if at > self.since:
                self.spent += calendar.elapsed(self.since, at)
                self.held_at = at
            else:
                self.held_at = self.since
            self.since = None

    def release(self, at: int) -> None:
        """End one hold at `at` (ms); runs on when it was the last."""
        if self.holds > 1:
            self.holds -= 1
            return
        self.holds = 0
        if self.since is None:
            self.since = max(at, self.held_at)

    def due(self, budget: int, calendar: Calendar) -> int:
        """The instant (ms) at which `budget` ms will be spent if nothing more is held; NEVER while on hold."""
        if self.since is None:
            return NEVER
        return calendar.due(self.since, budget - self.spent)


class SlaState(Struct, omit_defaults=True):
    """The deadlines of one conversation: `running` is the clock a customer waits on, `frozen` that a close cut it."""

    clocks: int = 0
    responses: int = 0
    running: Clock | None = None
    resolution: Clock | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    frozen: bool = False

    def due(self) -> int:
        """The next instant (ms) at which a clock must be looked at; NEVER when none runs."""
        due = NEVER
        if (clock := self.running) is not None:
            due = clock.next_instant()
        if (clock := self.resolution) is not None and self.watch.since is not None and not clock.stopped:
            later = clock.next_instant()
            if later < due:
                return later
        return due


def customer_wrote(state: SlaState, policy: Policy, sent_at: int, now: int) -> list[Clock]:
    """A customer's message: starts a clock, or moves the unanswered one back. Returns the clocks that changed."""
    started = min(sent_at, now)
    clock = state.running
    if clock is not None:
        return _move_back(state, policy, clock, started, now) if started < clock.started_at else []
    kind: ClockKind = "next_response" if state.responses else "first_response"
    return _start(state, policy, kind, started, now)


def agent_answered(state: SlaState, policy: Policy, sent_at: int) -> list[Clock]:
    """An answer to the customer: stops the clock unless it was written before the question."""
    clock = state.running
    if clock is None or sent_at < clock.started_at:
        return []
    clock.answered_at = sent_at
    clock.stopped = True
    state.running = None
    if state.resolution is not None and state.watch.since is not None:
        state.watch.hold(sent_at, policy.calendar)
    return [clock]


def conversation_closed(state: SlaState, policy: Policy, now: int) -> list[Clock]:
    """Closing freezes what runs and ends the resolution clock."""
    changed: list[Clock] = []
    if state.running is not None:
        state.running.stopped = True
        changed.append(state.running)
        state.running, state.frozen = None, True
    if state.resolution is not None and not state.resolution.stopped:
        if state.watch.since is not None:
            state.watch.hold(now, policy.calendar)
        state.resolution.stopped = True
        state.resolution.answered_at = now
        changed.append(state.resolution)
    return changed


def conversation_reopened(state: SlaState, policy: Policy, now: int) -> list[Clock]:
    """Reopening what was closed unanswered starts a next-response clock, never a second first-response."""
    if not state.frozen or state.running is not None:
        return []
    return _start(state, policy, "next_response", now, now)


def expire(state: SlaState, now: int) -> list[Clock]:
    """Warnings and breaches whose instant lies before `now` (ms), at their own instants."""
    changed = [state.running] if state.running is not None and _mark(state.running, now, None) else []
    resolution = state.resolution
    if (
        resolution is not None
        and not resolution.stopped
        and state.watch.since is not None
        and _mark(resolution, now, None)
    ):
        changed.append(resolution)
    return changed


def _start(state: SlaState, policy: Policy, kind: ClockKind, started: int, now: int) -> list[Clock]:
    budget = policy.first_response_ms if kind == "first_response" else policy.next_response_ms
    due_at, warn_at = (NEVER, NEVER) if budget is None else _instants(policy, started, budget)
    clock = Clock(state.clocks, kind, started, due_at, warn_at)
    state.clocks += 1
    state.responses += 1
    state.running, state.frozen = clock, False
    if warn_at < now or due_at < now:
        _mark(clock, now, now)
    changed = [] if budget is None else [clock]
    if policy.resolution_ms is not None:
        _resume_resolution(state, policy, started, now, changed)
    return changed


def _resume_resolution(state: SlaState, policy: Policy, started: int, now: int, changed: list[Clock]) -> None:
    clock = state.resolution
    if clock is None:
        clock = state.resolution = Clock(state.clocks, "resolution", started, NEVER, NEVER)
        state.clocks += 1
        state.watch.start(started)
    elif clock.stopped:
        return
    else:
        state.watch.release(started)
    _set_resolution_due(state, policy, clock)
    _mark(clock, now, now)
    changed.append(clock)


def _move_back(state: SlaState, policy: Policy, clock: Clock, started: int, now: int) -> list[Clock]:
    budget = policy.first_response_ms if clock.kind == "first_response" else policy.next_response_ms
    previous = clock.started_at
    clock.started_at = started
    if budget is not None:
        clock.due_at, clock.warn_at = _instants(policy, started, budget)
    _mark(clock, now, now)
    changed = [clock]
    resolution = state.resolution
    if resolution is not None and state.watch.since == previous and not resolution.stopped:
        state.watch.since = max(started, state.watch.held_at)
        if resolution.started_at == previous:
            resolution.started_at = started
        _set_resolution_due(state, policy, resolution)
        _mark(resolution, now, now)
        changed.append(resolution)
    return changed


def _instants(policy: Policy, started: int, budget: int) -> tuple[int, int]:
    """When a budget (ms) of business time is spent, and when its warning is due."""
    calendar = policy.calendar
    warned = round(budget * policy.warning_ratio)
    if not calendar.shifts:
        return started + budget, started + warned
    return calendar.due(started, budget), calendar.due(started, warned)


def _set_resolution_due(state: SlaState, policy: Policy, clock: Clock) -> None:
    watch, budget = state.watch, policy.resolution_ms or 0
    if watch.spent >= budget and clock.due_at != NEVER:
        return  # nothing is left to spend: a hold after that moves nothing
    if watch.since is not None and not policy.calendar.shifts:
        clock.due_at, clock.warn_at = _instants(policy, watch.since - watch.spent, budget)
        return
    clock.due_at = watch.due(budget, policy.calendar)
    clock.warn_at = watch.due(round(budget * policy.warning_ratio), policy.calendar)


def _mark(clock: Clock, now: int, not_before: int | None) -> bool:
    """Note a warning or breach whose instant is before `now`; learned late, it counts from `not_before`."""
    if clock.warn_at >= now and clock.due_at >= now:
        return False
    changed = False
    if clock.warned_at is None and clock.warn_at < now:
        clock.warned_at = clock.warn_at if not_before is None else max(clock.warn_at, not_before)
        changed = True
    if clock.breached_at is None and clock.due_at < now:
        clock.breached_at = clock.due_at if not_before is None else max(clock.due_at, not_before)
        changed = True
    return changed
