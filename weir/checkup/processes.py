"""The processes of a deployment, by the signs of life they write to the store."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from actors.times import rfc3339
from services.health.fleet import WORKING
from services.health.signs import Report, report_of
from storage.ports import ProcessStore
from storage.records import ProcessBeat
from weir.checkup.finding import CLOCK_SLACK_MS, Finding
from weir.config import Config
from weir.version import VERSION

WATCHED_S = 2.5
"""Long enough for a process that lives to beat: how old a beat is cannot be told while clocks may disagree."""
GONE_LATELY_MS = 600_000


async def examine(
    store: ProcessStore,
    config: Config,
    now: int,
    watch: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(WATCHED_S),
) -> AsyncIterator[Finding]:
    """Who lives, who went without good-bye, and what they say; `now` in ms. `watch` lets them beat once more."""
    before = {beat.process: beat.at for beat in await store.beats(now - GONE_LATELY_MS)}
    await watch()
    after = await store.beats(now - GONE_LATELY_MS)
    there = time.time_ns() // 1_000_000
    said = {beat.process: report_of(beat) for beat in after}
    living = [b for b in after if before.get(b.process) != b.at and not said[b.process].stopped]
    gone = [b for b in after if before.get(b.process) == b.at and not said[b.process].stopped]
    for finding in (_roles(living), *_gone(gone), *_versions(living), *_partitions(living, said, config)):
        yield finding
    for beat in living:
        for finding in _process(beat, said[beat.process], there):
            yield finding


def _roles(living: list[ProcessBeat]) -> Finding:
    if not living:
        mend = "start `weir worker`, `weir web` and `weir connect`, or `weir serve`"
        return Finding("processes", "broken", "none gives a sign of life", mend)
    counts = Counter(beat.role for beat in living)
    return Finding("processes", "ok", ", ".join(f"{count} {role}" for role, count in sorted(counts.items())))


def _gone(gone: list[ProcessBeat]) -> list[Finding]:
    mend = "if nothing has taken its place, start it again; its last log line says why it ended"
    return [Finding(f"process {beat.process}", "warning", f"silent since {rfc3339(beat.at)}", mend) for beat in gone]


def _versions(living: list[ProcessBeat]) -> list[Finding]:
    versions = Counter(beat.version for beat in living)
    if not living or set(versions) == {VERSION}:
        return []
    told = ", ".join(f"{count} run {version or 'unknown'}" for version, count in sorted(versions.items()))
    mend = "bring all processes, and this command, to one version"
    return [Finding("versions", "warning", f"{told}; this command is {VERSION}", mend)]


def _partitions(living: list[ProcessBeat], said: dict[str, Report], config: Config) -> list[Finding]:
    served = {p for beat in living if beat.role in WORKING and said[beat.process].ready for p in beat.partitions}
    missing = sorted(set(range(config.partitions)) - served)
    if not missing:
        return [Finding("engines", "ok", f"all {config.partitions} partitions are looked after")]
    told = f"nobody looks after partitions {', '.join(map(str, missing[:12]))}{' …' if len(missing) > 12 else ''}"  # noqa: PLR2004 # as many as fit a line
    return [Finding("engines", "broken", told, "start workers, or see below what those that run say")]


def _process(beat: ProcessBeat, report: Report, now: int) -> list[Finding]:
    what = f"process {beat.process}"
    findings = [Finding(what, "broken", trouble, "see its log") for trouble in report.troubles]
    ahead = beat.at - now
    # The beat is up to a second old, and was read a moment ago.
    if ahead > CLOCK_SLACK_MS or ahead < -CLOCK_SLACK_MS - WATCHED_S * 1000:
        told = f"its clock is {abs(ahead)} ms {'ahead of' if ahead > 0 else 'behind'} this machine's"
        findings.append(Finding(what, "warning", told, "mend the time service of one of the two machines"))
    return findings
