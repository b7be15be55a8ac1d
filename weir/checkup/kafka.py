"""Kafka: brokers, the topic, its copies, and what waits in it."""

from collections.abc import AsyncIterator

from actors.errors import WeirError
from actors.times import rfc3339
from streams.kafka.gateway import KafkaGateway
from streams.kafka.log import KafkaLog
from streams.kafka.survey import KafkaSurvey, survey
from weir.checkup.finding import Finding
from weir.config import Config
from weir.parts.log import DAY_MS, kafka_log

SAFE_COPIES = 3
WAITING_MS = 30_000


async def examine(config: Config, now: int) -> AsyncIterator[Finding]:
    """Everything that can be asked of it; `now` in ms."""
    log = kafka_log(config)
    try:
        found = await survey(log)
    except WeirError as wrong:
        yield Finding("kafka", "broken", str(wrong), "see that it runs; check the settings broker and kafka_…")
        return
    yield Finding("kafka", "ok", f"{_plural(len(found.brokers), 'broker')}: {', '.join(found.brokers)}")
    if found.partitions is None:
        mend = f"it is made by the first process that starts, with {config.partitions} partitions"
        yield Finding("topic", "warning", f"there is no topic {log.topic} yet", mend)
        return
    for finding in (*_topic(config, log, found), *_copies(log, found)):
        yield finding
    yield await _waiting(log, found, now)


def _topic(config: Config, log: KafkaLog, found: KafkaSurvey) -> list[Finding]:
    findings: list[Finding] = []
    if found.partitions != config.partitions:
        mend = f"set partitions to {found.partitions}: a topic that has records keeps its number"
        told = f"{log.topic} has {found.partitions} partitions, not {config.partitions}"
        findings.append(Finding("partitions", "broken", told, mend))
    if found.leaderless:
        told = f"{log.topic} takes no writes in {_named(found.leaderless)}: no broker leads it"
        findings.append(Finding("topic", "broken", told, "start the brokers that hold its copies"))
    days = found.retention_ms // DAY_MS
    if found.retention_ms >= 0 and days < config.kafka_retention_days:
        told = f"{log.topic} forgets after {days} days, not after {config.kafka_retention_days}"
        wanted = config.kafka_retention_days * DAY_MS
        mend = f"set the topic's retention.ms to {wanted}, or the setting kafka_retention_days to {max(days, 1)}"
        findings.append(Finding("retention", "warning", told, mend))
    return findings or [Finding("topic", "ok", f"{log.topic}: {_plural(config.partitions, 'partition')}, all led")]


def _copies(log: KafkaLog, found: KafkaSurvey) -> list[Finding]:
    findings: list[Finding] = []
    told = f"{_plural(found.copies, 'copy', 'copies')} of each partition, {found.insync_least} at least for a write"
    if found.thin:
        mend = "start the brokers that are away, or wait until they have caught up"
        findings.append(Finding("copies", "warning", f"not every copy is in sync of {_named(found.thin)}", mend))
    if found.copies < SAFE_COPIES:
        mend = "with three brokers or more, reassign the topic with three copies and set min.insync.replicas to 2"
        findings.append(Finding("copies", "warning", f"{told}: a lost disk may lose events", mend))
    elif found.insync_least < 2:  # noqa: PLR2004 # one is no copy
        mend = f"set min.insync.replicas of {log.topic} to 2"
        findings.append(
            Finding("copies", "warning", f"{told}: an event may be on one disk only when it is acked", mend)
        )
    elif found.insync_least >= found.copies:
        mend = f"set min.insync.replicas of {log.topic} to {found.copies - 1}"
        findings.append(Finding("copies", "warning", f"{told}: no broker may be away", mend))
    return findings or [Finding("copies", "ok", told)]


async def _waiting(log: KafkaLog, found: KafkaSurvey, now: int) -> Finding:
    """What was accepted and is not processed, and by whom it is read."""
    gateway = KafkaGateway(log)
    try:
        positions = await gateway.positions()
        since = await gateway.waiting_since()
    except WeirError as wrong:
        return Finding("waiting", "broken", str(wrong), "look at the brokers' logs")
    finally:
        await gateway.close()
    waiting = sum(max(0, position.end - position.committed) for position in positions)
    behind = [position.partition for position in positions if position.end > position.committed]
    readers = _plural(len(found.consumers), "reader")
    if not waiting or since is None:
        return Finding("waiting", "ok", f"nothing; {readers} in the group {log.group}")
    told = f"{_plural(waiting, 'record')} in {_named(behind)}, the oldest since {rfc3339(since)}; {readers}"
    if now - since < WAITING_MS:
        return Finding("waiting", "ok", told)
    mend = "look at the workers below; start more, or mend what they say" if found.consumers else "start `weir worker`"
    return Finding("waiting", "broken" if not found.consumers else "warning", told, mend)


def _named(partitions: list[int]) -> str:
    listed = ", ".join(map(str, partitions[:8]))
    return f"partition{'s' if len(partitions) > 1 else ''} {listed}{' …' if len(partitions) > 8 else ''}"  # noqa: PLR2004 # as many as fit a line


def _plural(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
