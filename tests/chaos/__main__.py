"""`python -m tests.chaos --faults 200 --seed 1`: many faults under load, each followed by its proof; prints figures."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter

from tests.chaos.proof import BrokenPromiseError
from tests.chaos.story import Chapter, Outcome, told
from tests.chaos.town import built


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


def say_outcome(outcome: Outcome) -> None:
    """The figures of the whole story."""
    kinds = Counter(chapter.kind for chapter in outcome.chapters)
    for kind, count in sorted(kinds.items()):
        spans = sorted(c.take_over for c in outcome.chapters if c.kind == kind and c.take_over is not None)
        taken = f"take-over {statistics.median(spans):.1f} s, longest {spans[-1]:.1f} s" if spans else ""
        say(f"{count:4} of {kind:<38} {taken}")
    say(f"cut off by {outcome.cables}; left out: {', '.join(outcome.left_out) or 'nothing'}")
    say(
        f"{len(outcome.chapters)} faults: {outcome.acknowledged:,} messages acknowledged, {outcome.events:,} deliveries"
        f" in the log, {outcome.duplicates:,} of them repeated posts; {outcome.posted_again:,} posts had to be repeated"
    )
    say(f"exits: {dict(Counter(status for exits in outcome.exits.values() for status in exits))}")
    say(f"audit: {outcome.audit}")


def main() -> int:
    """Tell the story; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with built() as town:
        try:
            outcome = asyncio.run(told(town, options.faults, options.seed, say_chapter))
        except BrokenPromiseError as wrong:
            say(f"BROKEN (--faults {options.faults} --seed {options.seed}; logs of this run in {town.folder}): {wrong}")
            input("Enter removes them. ") if sys.stdin.isatty() else None
            return 1
    say_outcome(outcome)
    say(f"nothing lost, nothing applied twice, in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
