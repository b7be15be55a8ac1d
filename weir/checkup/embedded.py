"""The built-in log in the data folder."""

from actors.errors import WeirError
from actors.times import rfc3339
from weir.checkup.finding import CLOCK_SLACK_MS, Finding
from weir.config import Config
from weir.log_view import LogView
from weir.parts.log import LOG_FILE


async def examine(config: Config, now: int) -> list[Finding]:
    """Its records, what was found damaged, and the times in it; `now` in ms."""
    log = LogView(config.data / LOG_FILE)
    try:
        problems = await log.problems()
        positions = await log.positions()
        newest = 0
        for position in positions:
            async for record in log.records(position.partition, max(position.start, position.end - 1)):
                newest = max(newest, record.wall)
    except WeirError as wrong:
        return [Finding("log", "broken", str(wrong), "see the message")]
    finally:
        await log.close()
    waiting = sum(position.end - position.committed for position in positions)
    found = f"{len(positions)} partitions, {sum(p.end - p.start for p in positions)} records, {waiting} waiting"
    findings = [Finding("log", "broken", problem, "run `weir audit`") for problem in problems]
    findings = findings or [Finding("log", "ok", found)]
    if len(positions) != config.partitions:
        mend = f"set partitions to {len(positions)}: it is fixed once a data folder exists"
        findings.append(Finding("partitions", "broken", f"the log has {len(positions)}, not {config.partitions}", mend))
    return [*findings, *_clock(now, newest)]


def _clock(now: int, newest: int) -> list[Finding]:
    if newest <= now + CLOCK_SLACK_MS:
        return []
    found = f"the clock says {rfc3339(now)} but the log has been written at {rfc3339(newest)}"
    mend = "mend this machine's time service: delays are measured against its clock"
    return [Finding("clock", "broken", found, mend)]
