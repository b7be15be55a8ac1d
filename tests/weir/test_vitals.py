"""What keeps Weir from being ready."""

from types import SimpleNamespace

import pytest

from services.health.backlog import Reading
from services.health.heartbeats import Beat
from services.health.watchdog import judge
from weir.vitals import Vitals, engine_reasons, watchdog_reasons

NOW = 1_795_312_800_000


def verdict(*, silent=(), oldest_ms=None, stuck=None, bound=2):
    parts = ("engine", "persister", "gateway", "monitor", "watchdog")
    beats = [Beat(part=p, at=NOW, ok=p not in silent) for p in parts]
    backlog = Reading(at=NOW, accepted=900, processed=100, oldest_ms=oldest_ms, stuck=stuck or {})
    return judge(beats, backlog, (bound, 2), (3, NOW), NOW)


@pytest.fixture
def watchdog():
    """Each test says what it finds."""
    return SimpleNamespace(verdict=verdict())


@pytest.fixture
def vitals(watchdog):
    """Of a process whose engines run."""
    runtime = SimpleNamespace(health=lambda: SimpleNamespace(running=True, ready=True, trouble=None))
    made = Vitals(reasons=[engine_reasons(runtime), watchdog_reasons(watchdog)], readings=[])
    made.accepting = True
    return made


@pytest.fixture
def web(watchdog):
    """Of a process whose engines run elsewhere."""
    made = Vitals(reasons=[watchdog_reasons(watchdog, apart_from=("engine", "persister"))], readings=[])
    made.accepting = True
    return made


@pytest.mark.parametrize("backlog", [{"oldest_ms": 40_000}, {"oldest_ms": 298_000}, {"stuck": {1: NOW - 31_000}}])
def test_a_backlog_is_an_alarm_and_keeps_nobody_from_sending(vitals, watchdog, backlog):
    watchdog.verdict = verdict(**backlog)
    assert [alarm.kind for alarm in watchdog.verdict.alarms] == ["queue"]
    assert vitals.unready() == []


def test_a_stopped_part_is_told_without_the_backlog_it_makes(vitals, watchdog):
    watchdog.verdict = verdict(silent=("engine",), oldest_ms=298_000)
    (reason,) = vitals.unready()
    assert reason.startswith("the engine has given no sign of life")


def test_a_channel_that_nobody_looks_after_keeps_weir_from_being_ready(vitals, watchdog):
    watchdog.verdict = verdict(bound=3)
    (reason,) = vitals.unready()
    assert "3 channels are bound but only 2 are checked" in reason


def test_a_weir_that_takes_nothing_in_is_not_ready(vitals):
    vitals.accepting = False
    assert vitals.unready() == ["Weir is starting or stopping"]


def test_a_web_process_takes_events_in_while_no_worker_runs(web, watchdog):
    watchdog.verdict = verdict(silent=("engine", "persister"), bound=3)
    assert len(watchdog.verdict.alarms) == 3
    assert web.unready() == []


def test_a_web_process_is_not_ready_without_its_own_parts(web, watchdog):
    watchdog.verdict = verdict(silent=("engine", "gateway"))
    (reason,) = web.unready()
    assert reason.startswith("the gateway has given no sign of life")
