"""The ledger held against what the senders were told, and delays as a screen shows them."""

from __future__ import annotations

import pytest

from loadtest.balance import balance
from loadtest.delays import quantiles, visible_after
from loadtest.tally import Tally, break_event

EVENT = {"type": "message", "platform": "ebay", "account": "a", "conversation": "c", "message": "m", "direction": "in"}


def told(accepted=1, rejected=0, unsure=0):
    tally = Tally()
    tally.answered(5.0, [EVENT] * accepted, [])
    tally.answered(5.5, [break_event(EVENT)] * rejected, [(i, "no") for i in range(rejected)])
    if unsure:
        tally.unanswered([EVENT] * unsure)
    return tally


def row(accepted, stored, duplicates=0, rejected=0):
    return {
        "platform": "ebay",
        "account": "a",
        "accepted": accepted,
        "stored": stored,
        "duplicates": duplicates,
        "rejected": rejected,
    }


def test_a_ledger_that_says_what_the_senders_were_told_balances():
    found = balance(told(accepted=7, rejected=2).channels, [row(9, 6, 1, 2)])
    assert found.holds
    assert (found.told_accepted, found.told_rejected, found.stored, found.duplicates) == (7, 2, 6, 1)


@pytest.mark.parametrize(
    ("ledger", "words"),
    [
        ([row(9, 6, 0, 2)], "does not balance"),
        ([row(8, 6, 0, 2)], "1 events were answered 202 and are not in the ledger"),
        ([row(10, 8, 0, 2)], "1 events more in the ledger"),
        ([row(9, 8, 0, 1)], "2 events were refused, 1 in the ledger"),
        ([], "9 events were answered 202 and are not in the ledger"),
    ],
)
def test_a_disagreement_is_a_sentence_with_its_number(ledger, words):
    found = balance(told(accepted=7, rejected=2).channels, ledger)
    assert not found.holds
    assert words in " ".join(found.problems)


@pytest.mark.parametrize("accepted", [5, 6, 7])
def test_what_got_no_answer_may_be_there_or_not(accepted):
    assert balance(told(accepted=5, unsure=2).channels, [row(accepted, accepted)]).holds


def test_channels_of_others_do_not_matter():
    others = {**row(1, 0), "account": "theirs"}
    nobody = {**row(3, 3), "platform": None, "account": None}
    assert balance(told().channels, [row(1, 1), others, nobody]).holds


def test_an_event_that_is_refused_though_it_is_right_is_reported():
    tally = Tally()
    tally.answered(1.0, [EVENT, break_event(EVENT)], [(0, "no reason")])
    assert len(tally.wrongly) == 2


def test_an_answer_shows_when_the_screen_counts_its_events():
    answers = [(1.0, 10), (2.0, 20), (3.0, 30)]
    shown = [(1.5, 105), (2.5, 120), (2.75, 125)]
    assert visible_after(answers, shown, before=100) == [1500.0, 500.0]


def test_a_quantile_is_the_value_of_nearest_rank():
    found = quantiles([float(n) for n in range(1, 101)])
    assert (found.p50, found.p95, found.p99, found.most) == (50.0, 95.0, 99.0, 100.0)
    assert quantiles([]).p50 is None
