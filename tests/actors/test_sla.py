"""SLA clocks through traces: section 4, rulings 49 to 54, acceptance tests AT-41 to AT-43."""

from __future__ import annotations

import pytest

from actors.calendar import Calendar, Shift
from actors.presets import PRESETS, read_policies
from actors.sla import NEVER, Policy, Stopwatch
from tests.actors.trace import DAY, HOUR, MINUTE, T0, action, answer, clock, message, ms, run

FIRST, NEXT, RESOLUTION = 30 * MINUTE, 60 * MINUTE, DAY
OFFICE = Calendar(zone="UTC", shifts=tuple(Shift(day, 9 * 60, 17 * 60) for day in range(5)))


def times(row):
    return (row.started_at, row.due_at, row.warned_at, row.breached_at, row.answered_at)


def test_the_clock_starts_with_the_first_unanswered_message_and_stops_with_the_answer():
    row = run(message("m1", 10, sent=5), message("m2", 60), answer("a1", 100, sent=99)).clock("first_response")
    assert times(row) == (5, 5 + FIRST, None, None, 99)
    assert row.conversation == "shopee/sg-1/c1"


def test_warning_and_breach_come_at_their_instants():
    row = run(message("m1", 0)).clock("first_response")
    assert times(row) == (0, FIRST, 0.8 * FIRST, FIRST, None)
    row = run(message("m1", 0), answer("a1", FIRST + 5)).clock("first_response")
    assert times(row) == (0, FIRST, 0.8 * FIRST, FIRST, FIRST + 5)


@pytest.mark.parametrize(
    ("at", "warned", "breached"),
    [
        (0.8 * FIRST, None, None),
        (0.8 * FIRST + 0.001, 0.8 * FIRST, None),
        (FIRST, 0.8 * FIRST, None),
        (FIRST + 0.001, 0.8 * FIRST, FIRST),
    ],
)
def test_an_answer_observed_at_the_instant_is_in_time(at, warned, breached):
    row = run(message("m1", 0), answer("a1", at)).clock("first_response")
    assert (row.warned_at, row.breached_at) == (warned, breached)


def test_a_warning_or_breach_learned_late_counts_from_when_it_was_learned():
    row = run(message("m1", 3 * HOUR, sent=0)).clock("first_response")
    assert times(row) == (0, FIRST, 3 * HOUR, 3 * HOUR, None)
    row = run(message("m1", 0.9 * FIRST, sent=0)).clock("first_response")
    assert times(row) == (0, FIRST, 0.9 * FIRST, FIRST, None)


def test_a_clock_never_starts_in_the_future():
    assert run(message("m1", 10, sent=50)).clock("first_response").started_at == 10


def test_an_earlier_message_that_arrives_later_moves_an_unanswered_clock_back():
    row = run(message("m2", 100), message("m1", 200, sent=40)).clock("first_response")
    assert times(row)[:2] == (40, 40 + FIRST)
    moved = run(message("m2", FIRST), message("m1", FIRST + 10, sent=0), answer("a1", FIRST + 20))
    assert times(moved.clock("first_response")) == (0, FIRST, FIRST + 10, FIRST + 10, FIRST + 20)
    assert moved.clock("resolution").started_at == 0


def test_a_clock_moved_back_keeps_the_warning_it_had():
    story = [message("m2", 100), message("m1", 100 + 0.9 * FIRST, sent=50)]
    row = run(*story).clock("first_response")
    assert (row.warned_at, row.breached_at) == (100 + 0.8 * FIRST, 50 + FIRST)


def test_first_response_is_the_first_clock_even_when_the_agent_wrote_first():
    found = run(answer("a0", 0), message("m1", 10), answer("a1", 20), message("m2", 30))
    assert found.clock("first_response").answered_at == 20
    assert times(found.clock("next_response"))[:2] == (30, 30 + NEXT)


def test_every_clock_is_listed():
    story = [e for n in range(4) for e in (message(f"m{n}", n * 100), answer(f"a{n}", n * 100 + 50))]
    found = run(*story)
    assert len(found.clocks("first_response")) == 1
    assert [r.started_at for r in found.clocks("next_response")] == [100, 200, 300]
    assert len(found.clocks("resolution")) == 1


@pytest.mark.parametrize(("role", "answers"), [("agent", True), (None, True), ("bot", False), ("system", False)])
def test_only_an_agent_answers(role, answers):
    row = run(message("m1", 0), answer("a1", 10, role=role)).clock("first_response")
    assert (row.answered_at == 10) is answers


def test_a_bot_answers_when_the_policy_says_so_and_the_system_never():
    policy = Policy(bot_answers=True)
    assert (
        run(message("m1", 0), answer("a1", 10, role="bot"), policies=[policy]).clock("first_response").answered_at == 10
    )
    assert (
        run(message("m1", 0), answer("a1", 10, role="system"), policies=[policy]).clock("first_response").answered_at
        is None
    )


def test_history_and_what_is_no_customers_start_no_clock():
    found = run(message("m1", 0, history=True), message("m2", 0, sender={"id": "x", "role": "system"}), answer("a", 1))
    assert found.sla == []


def test_one_resolution_row_runs_only_while_a_response_is_awaited():
    story = [message("m1", 0), answer("a1", 600), message("m2", 10_000), answer("a2", 10_300), message("m3", 50_000)]
    row = run(*story).clock("resolution")
    assert row.started_at == 0
    due = 50_000 + RESOLUTION - 600 - 300
    assert times(row) == (0, due, 50_000 + 0.8 * RESOLUTION - 900, due, None)
    paused = run(*story, answer("a3", 50_010), clock(9 * DAY)).clock("resolution")
    assert times(paused) == (0, due, None, None, None)


def test_resolution_ends_with_closing():
    row = run(message("m1", 0), answer("a1", 600), action(700, "closed"), message("m2", 10_000)).clock("resolution")
    assert (row.answered_at, row.due_at, row.breached_at) == (700, RESOLUTION, None)


def test_closing_freezes_the_response_clock():
    row = run(message("m1", 0), action(60, "closed")).clock("first_response")
    assert times(row) == (0, FIRST, None, None, None)


def test_presets_apply_with_a_policy_only_and_name_every_promise():
    row = run(message("m1", 0)).clock("first_response")
    assert row.due_at == FIRST
    row = run(message("m1", 0), policies=PRESETS).clock("first_response")
    assert row.due_at == 12 * HOUR
    row = run(message("m1", 0, platform="amazon"), policies=PRESETS).clock("first_response")
    assert row.due_at == DAY


def test_without_a_fitting_policy_the_default_applies():
    assert run(message("m1", 0), policies=[Policy(platforms=("ebay",))]).clock("first_response").due_at == FIRST


def test_a_policy_applies_to_its_platforms_accounts_and_priorities():
    policies = [
        Policy(name="vip", priorities=("high",), first_response_ms=60_000),
        Policy(name="shop", accounts=("us",), first_response_ms=120_000),
        Policy(name="rest", first_response_ms=180_000),
    ]
    story = [message("m1", 0, vip=True), message("m1", 0, account="us"), message("m1", 0, account="eu")]
    assert [r.due_at for r in run(*story, policies=policies).clocks("first_response")] == [180, 60, 120]


def test_targets_that_are_not_watched_make_no_rows():
    policy = Policy(first_response_ms=None, resolution_ms=None)
    found = run(message("m1", 0), answer("a1", 10), message("m2", 20), policies=[policy])
    assert [row.kind for row in found.sla] == ["next_response"]


def test_the_warning_ratio_is_the_policys_and_one_means_no_warning_before_the_breach():
    row = run(message("m1", 0), policies=[Policy(warning_ratio=0.5)]).clock("first_response")
    assert row.warned_at == FIRST / 2
    row = run(message("m1", 0), policies=[Policy(warning_ratio=1.0)]).clock("first_response")
    assert (row.warned_at, row.breached_at) == (FIRST, FIRST)


def test_only_business_time_counts():
    night = 20 * HOUR  # Monday 20:00
    row = run(message("m1", night), policies=[Policy(calendar=OFFICE)]).clock("first_response")
    opens = DAY + 9 * HOUR
    assert times(row) == (night, opens + FIRST, opens + 0.8 * FIRST, opens + FIRST, None)


def test_policies_are_read_from_a_document():
    document = {
        "policies": [
            {
                "name": "x",
                "first_response_min": 5,
                "shifts": [{"days": ["mon", "tue"], "start": "09:00", "end": "24:00"}],
            }
        ]
    }
    (policy,) = read_policies(document)
    assert policy.first_response_ms == 300_000
    assert policy.calendar.shifts == (Shift(0, 540, 1440), Shift(1, 540, 1440))


# AT-41: pauses


def office_day(hour, *, day=0):
    return T0 + (day * DAY + hour * HOUR) * 1000


def test_a_hold_without_working_hours_does_not_move_the_due_time():
    watch = Stopwatch()
    watch.start(office_day(9))
    assert watch.due(8 * HOUR * 1000, OFFICE) == office_day(17)
    watch.hold(office_day(17), OFFICE)
    watch.release(office_day(9, day=1))
    assert watch.spent == 8 * HOUR * 1000
    policy = Policy(calendar=OFFICE, resolution_ms=8 * HOUR * 1000)
    story = [message("m1", 9 * HOUR), answer("a1", 17 * HOUR), message("m2", DAY + 9 * HOUR)]
    assert run(*story, policies=[policy]).clock("resolution").due_at == 17 * HOUR


def test_only_the_working_time_of_pauses_shifts_the_due_time_and_once_when_they_overlap():
    watch = Stopwatch()
    watch.start(office_day(9))
    watch.hold(office_day(10), OFFICE)  # one hour
    watch.release(office_day(11))
    watch.hold(office_day(12), OFFICE)  # 12 to 14 and 13 to 15, overlapping: three hours
    watch.hold(office_day(13), OFFICE)
    watch.release(office_day(14))
    assert watch.due(2, OFFICE) == NEVER
    watch.release(office_day(15))
    watch.hold(office_day(16), OFFICE)  # 16 to 10 the next day: two hours of work
    watch.release(office_day(10, day=1))
    assert watch.spent == 3 * HOUR * 1000
    assert watch.due(4 * HOUR * 1000, OFFICE) == office_day(11, day=1)


def test_another_policy_while_on_hold_keeps_the_pause():
    watch = Stopwatch()
    watch.start(office_day(9))
    watch.hold(office_day(10), OFFICE)
    assert watch.due(2 * HOUR * 1000, Calendar()) == NEVER
    watch.release(office_day(13))
    assert watch.due(2 * HOUR * 1000, OFFICE) == office_day(14)


# AT-42: the miss stays, the clock stops


def test_a_first_response_missed_by_twelve_minutes_stays_missed():
    late = FIRST + 12 * MINUTE
    found = run(
        message("m1", 0),
        answer("a1", late),
        action(late + 60, "closed"),
        action(2 * DAY, "reopened"),
        message("m2", 2 * DAY + 60),
    )
    row = found.clock("first_response")
    assert times(row) == (0, FIRST, 0.8 * FIRST, FIRST, late)
    assert times(found.clock("next_response"))[:2] == (2 * DAY + 60, 2 * DAY + 60 + NEXT)


def test_reopening_what_was_closed_unanswered_starts_a_next_response_clock():
    found = run(message("m1", 0), action(60, "closed"), action(2 * DAY, "reopened"))
    assert times(found.clock("first_response")) == (0, FIRST, None, None, None)
    assert found.clock("next_response").started_at == 2 * DAY


def test_reopening_what_was_answered_meanwhile_starts_nothing():
    found = run(message("m1", 0), action(60, "closed"), answer("a1", 70), action(2 * DAY, "reopened"))
    assert not found.clocks("next_response")


def test_a_bot_never_stops_a_human_clock_and_a_human_does():
    found = run(message("m1", 0), answer("b1", 1, role="bot"), answer("a1", 40 * MINUTE))
    row = found.clock("first_response")
    assert (row.breached_at, row.answered_at) == (FIRST, 40 * MINUTE)


# AT-43: the marketplace's clock


def test_the_deadline_is_the_marketplaces_and_no_later_message_moves_it():
    amazon = {"platform": "amazon"}
    ten = 10 * HOUR
    story = [
        message("m1", ten + 3 * HOUR, sent=ten, **amazon),
        message("m2", ten + 3 * HOUR, sent=ten + HOUR, **amazon),
        message("m3", ten + 3 * HOUR, sent=ten + 2 * HOUR, **amazon),
        message("m4", ten + 4 * HOUR, **amazon),
    ]
    row = run(*story, policies=PRESETS).clock("first_response")
    assert (row.started_at, row.due_at) == (ten, ten + DAY)
    story += [action(ten + 5 * HOUR, "closed", **amazon), message("m5", ten + 6 * HOUR, **amazon)]
    found = run(*story, clock(ten + 7 * HOUR), policies=PRESETS)
    assert times(found.clock("first_response")) == (ten, ten + DAY, None, None, None)
    assert times(found.clock("next_response"))[:2] == (ten + 6 * HOUR, ten + 6 * HOUR + DAY)
    assert ms(0) == T0
