"""`python -m benchmarks.pipeline [--quick] [--rounds N] [--messages N] [NAME …]`: measure, print, write it down.

NAMEs are contenders' (`weir`, `aiokafka`, …) or the parts `delay` and `workers`; without any everything is measured,
and only then written to benchmarks/RESULTS.md and benchmarks/results.json.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.pipeline import report
from benchmarks.pipeline.environments import MissingError
from benchmarks.pipeline.run import MESSAGES, PARTS, QUICK_MESSAGES, ROUNDS, measure


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the records and one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--messages", type=int, help="of the simulated sale; events are three times that")
    parser.add_argument("--kind", choices=["frames", "plain"], help="one of the two comparisons")
    parser.add_argument("--database", metavar="URL", help="a MongoDB to save to, like mongodb://127.0.0.1:27017")
    given = parser.parse_args()
    if unknown := set(given.names) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    try:
        results = measure(
            names=given.names or list(PARTS),
            kinds=[given.kind] if given.kind else ["frames", "plain"],
            messages=given.messages or (QUICK_MESSAGES if given.quick else MESSAGES),
            rounds=given.rounds or (1 if given.quick else ROUNDS),
            database=given.database,
        )
    except MissingError as error:
        print(error, file=sys.stderr)
        return 2
    print(report.section(results))
    if not (given.names or given.quick or given.kind):
        report.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
