"""The oracle's SLA clocks, under the default policy: around the clock, warning at 80 %."""

from __future__ import annotations

from types import SimpleNamespace as Thing

BUDGETS = {"first_response": 1_800_000, "next_response": 3_600_000, "resolution": 86_400_000}
RATIO = 0.8


def customer_wrote(talk, sent, now):
    """Start a clock, or move the running one back."""
    started, clock, whole = min(sent, now), talk.running, talk.whole
    if clock is None:
        start(talk, "next_response" if talk.clocks else "first_response", started, now)
    elif started < clock.started:
        before, clock.started = clock.started, started
        plan(clock, now)
        if whole.running and whole.since == before:
            whole.since = max(started, whole.paused)
            if whole.started == before:
                whole.started = started
            plan(whole, now)


def start(talk, kind, started, now):
    talk.running, talk.frozen = new(talk, kind, started), False
    plan(talk.running, now)
    if talk.whole is None:
        talk.whole = new(talk, "resolution", started)
        plan(talk.whole, now)
    elif not talk.whole.ended:
        whole = talk.whole
        whole.since, whole.running = max(started, whole.paused), True
        plan(whole, now)


def new(talk, kind, started):
    clock = Thing(key=talk.key, kind=kind, started=started, since=started, spent=0, paused=0, running=True, ended=False)
    clock.due = clock.warn = clock.learned = clock.warned = clock.breached = clock.answered = None
    talk.clocks.append(clock)
    return clock


def plan(clock, now):
    """Find the instants of warning and breach; once nothing is left to spend, the due time stays where it was."""
    since = clock.since if clock.kind == "resolution" else clock.started
    budget = BUDGETS[clock.kind]
    if clock.spent < budget:
        clock.due = since + budget - clock.spent
    clock.warn = since + round(budget * RATIO) - clock.spent
    clock.learned = now
    mark(clock, now)


def mark(clock, now):
    if clock.warned is None and clock.warn < now:
        clock.warned = max(clock.warn, clock.learned)
    if clock.breached is None and clock.due < now:
        clock.breached = max(clock.due, clock.learned)


def agent_wrote(talk, sent):
    talk.frozen = False
    clock, whole = talk.running, talk.whole
    if clock is not None and sent >= clock.started:
        clock.answered, clock.running, talk.running = sent, False, None
        if whole.running:
            whole.running = False
            whole.spent += max(0, sent - whole.since)
            whole.paused = max(whole.since, sent)


def closed(talk, now):
    if talk.running is not None:
        talk.running.running, talk.running, talk.frozen = False, None, True
    if talk.whole is not None and not talk.whole.ended:
        talk.whole.running, talk.whole.ended, talk.whole.answered = False, True, now
