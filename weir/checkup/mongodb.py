"""MongoDB: who answers, how safely it writes, its indexes and its clock."""

from actors.errors import WeirError
from storage.mongodb.survey import MongoSurvey, survey
from weir.checkup.finding import Finding, clock
from weir.config import Config

OLDEST = 6


async def examine(config: Config) -> tuple[list[Finding], bool]:
    """Everything that can be asked of it, and whether Weir's data are there."""
    try:
        found = await survey(config.database)
    except WeirError as wrong:
        return [Finding("mongodb", "broken", str(wrong), "see that it runs; check the setting database")], False
    findings = [_server(found), _writes(found), _indexes(found), clock("mongodb", found.ahead_ms, found.took_ms)]
    return findings, found.prepared and found.writable


def _indexes(found: MongoSurvey) -> Finding:
    if not found.prepared:
        return Finding("indexes", "warning", f"{found.place} is empty", "the first process that starts prepares it")
    if found.missing:
        mend = "each start of a process makes them anew; if they go again, look who removes them"
        return Finding("indexes", "warning", f"missing: {'; '.join(found.missing[:5])}", mend)
    return Finding("indexes", "ok", "all there")


def _server(found: MongoSurvey) -> Finding:
    told = f"{found.kind} {found.version} at {found.place}"
    if not found.writable:
        return Finding("mongodb", "broken", f"{told} takes no writes", "see that its replica set has a primary")
    if found.kind == "stand-in":
        mend = "use MongoDB for what must not be lost"
        return Finding("mongodb", "warning", f"{told} speaks MongoDB's protocol but is another server", mend)
    if int(found.version.partition(".")[0] or 0) < OLDEST:
        return Finding("mongodb", "broken", f"{told} is too old", f"upgrade it to MongoDB {OLDEST} or newer")
    if found.kind == "single server":
        mend = "make it a replica set, of one member at least: writes are repeated safely only there"
        return Finding("mongodb", "warning", told, mend)
    return Finding("mongodb", "ok", told)


def _writes(found: MongoSurvey) -> Finding:
    told = f"a write waits for {found.written or 'what the server likes'}{' and the disk' if found.journaled else ''}"
    if found.written == "majority" and found.journaled:
        return Finding("writes", "ok", told)
    mend = "take w and journal out of the setting database: Weir asks for the majority and the disk by itself"
    return Finding("writes", "warning", f"{told}: a fail-over may lose what was saved", mend)
