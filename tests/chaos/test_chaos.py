"""Twenty faults, every kind among them, and no promise broken."""

from __future__ import annotations

import pytest

from tests.chaos.__main__ import say_chapter, say_outcome
from tests.chaos.faults import FAULTS
from tests.chaos.story import told
from tests.chaos.town import built
from tests.services import cache

pytestmark = [pytest.mark.services, pytest.mark.chaos, pytest.mark.timeout(3000)]
FAULTS_HERE = 20
SEED = 20261122


def test_the_list_of_faults_is_whole():
    from tests.chaos import faults  # noqa: PLC0415 # looked through here alone

    kinds = {kind for kind in vars(faults).values() if isinstance(kind, type) and issubclass(kind, faults.Fault)}
    assert kinds - {faults.Fault} == set(FAULTS)


async def test_twenty_faults_under_load_break_no_promise():
    try:
        with built() as town:
            outcome = await told(town, FAULTS_HERE, SEED, say_chapter)
    except cache.UnavailableError as wrong:
        if cache.required():
            pytest.fail(str(wrong))
        pytest.skip(f"NO SERVICES FOR CHAOS: {wrong}")
    say_outcome([outcome])
    assert len(outcome.chapters) == FAULTS_HERE
    assert {chapter.kind for chapter in outcome.chapters} | set(outcome.left_out) == {kind.kind for kind in FAULTS}
    assert outcome.events > 0
