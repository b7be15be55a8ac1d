"""`python -m tests.chaos --faults 200 --seed 1`: many faults under load, each followed by its proof; prints figures."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.chaos.proof import BrokenPromiseError
from tests.chaos.story import TAKE_OVER_S, Chapter, Outcome, told
from tests.chaos.town import built

FAULTS_A_TOWN = 20
"""Then a new deployment: the database that runs here without being installed reads whole collections."""


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_chapter(chapter: Chapter) -> None:
    """One fault."""
    taken = f"taken over in {chapter.take_over:4.1f} s" if chapter.take_over is not None else " " * 21
    say(
        f"{chapter.number:4}  {chapter.kind:<38} {chapter.target:<10} {taken}  whole again after {chapter.took:5.1f} s"
        f"  {chapter.events:7,} events hold"
    )


def say_outcome(outcomes: Sequence[Outcome]) -> None:
    """The figures of the whole story."""
    chapters = [chapter for outcome in outcomes for chapter in outcome.chapters]
    for kind, count in sorted(Counter(chapter.kind for chapter in chapters).items()):
        spans = sorted(c.take_over for c in chapters if c.kind == kind and c.take_over is not None)
        taken = f"take-over {statistics.median(spans):.1f} s, longest {spans[-1]:.1f} s" if spans else ""
        say(f"{count:4} of {kind:<38} {taken}")
    say(f"cut off by {outcomes[0].cables}; left out: {', '.join(outcomes[0].left_out) or 'nothing'}")
    acknowledged, events = sum(o.acknowledged for o in outcomes), sum(o.events for o in outcomes)
    say(
        f"{len(chapters)} faults: {acknowledged:,} messages acknowledged, {events:,} deliveries in the log,"
        f" {events - acknowledged:,} of them repeated; {sum(o.posted_again for o in outcomes):,} posts were repeated"
    )
    exits = Counter(status for o in outcomes for statuses in o.exits.values() for status in statuses)
    say(f"exits: {dict(exits)}")


def main() -> int:
    """Tell the story; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    outcomes: list[Outcome] = []
    for first in range(0, options.faults, FAULTS_A_TOWN):
        seed, faults = options.seed + first, min(FAULTS_A_TOWN, options.faults - first)
        say(f"a new deployment: --faults {faults} --seed {seed}")
        try:
            with built() as town:
                place = town.folder
                outcomes.append(asyncio.run(told(town, faults, seed, say_chapter, take_over_s=TAKE_OVER_S)))
        except BrokenPromiseError as wrong:
            say(f"BROKEN (--faults {faults} --seed {seed}; its logs are in {place}): {wrong}")
            return 1
        say(f"audit: {outcomes[-1].audit}")
    say_outcome(outcomes)
    say(f"nothing lost, nothing applied twice, in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
