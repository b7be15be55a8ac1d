"""Redis: who answers, whether it may forget, and its clock."""

from collections.abc import AsyncIterator

from actors.errors import WeirError
from streams.redis.link import RedisLink
from streams.redis.survey import RedisSurvey, survey
from weir.checkup.finding import Finding, clock
from weir.config import Config

OLDEST = 6
FULL = 0.9
MIB = 2**20
DEGRADED = "until then screens read anew every few seconds; no message is lost"


async def examine(config: Config) -> AsyncIterator[Finding]:
    """Everything that can be asked of it."""
    try:
        link = RedisLink(config.redis)
        try:
            await link.start()
            found = await survey(link)
        finally:
            await link.close()
    except WeirError as wrong:
        yield Finding("redis", "broken", str(wrong), f"see that it runs; check the setting redis; {DEGRADED}")
        return
    told = f"{found.version} at {link.name}, {found.clients} clients"
    if int(found.version.partition(".")[0] or 0) < OLDEST:
        yield Finding("redis", "warning", told, f"upgrade it to {OLDEST} or newer")
    else:
        yield Finding("redis", "ok", told)
    yield _memory(found)
    yield clock("redis", found.ahead_ms, found.took_ms)


def _memory(found: RedisSurvey) -> Finding:
    bound = f"of {found.most_memory / MIB:.0f} MiB" if found.most_memory else "without a bound"
    told = f"{found.memory / MIB:.1f} MiB {bound}, policy {found.policy or 'unknown'}"
    if found.most_memory and found.memory > FULL * found.most_memory:
        return Finding("redis memory", "warning", told, "raise maxmemory, or give Weir a Redis of its own")
    if found.most_memory and found.policy not in (None, "noeviction"):
        mend = "set maxmemory-policy to noeviction: what is evicted may be a lock or a count of failed logins"
        return Finding("redis memory", "warning", told, mend)
    return Finding("redis memory", "ok", told)
