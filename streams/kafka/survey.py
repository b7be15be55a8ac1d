# pyright: basic
# aiokafka has no stubs: strict mode would report its code, not ours.
"""What Kafka says of itself and of the topic, for whoever checks a deployment. It changes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError
from msgspec import Struct

from streams.ports import LogUnreachableError

if TYPE_CHECKING:
    from streams.kafka.log import KafkaLog

ANSWER_S = 15.0


class KafkaSurvey(Struct, frozen=True, kw_only=True):
    """The brokers as host:port; of the topic, when there is one: its partitions, copies, settings.

    `leaderless` takes no writes now, `thin` has fewer copies in sync than it should. `consumers`: members of the group.
    """

    brokers: list[str]
    partitions: int | None = None
    copies: int = 0
    leaderless: list[int] = []
    thin: list[int] = []
    insync_least: int = 1
    retention_ms: int = -1
    group_state: str = ""
    consumers: list[str] = []


async def survey(log: KafkaLog) -> KafkaSurvey:
    """Ask once. Raises LogUnreachableError when nobody answers, ConfigurationError for wrong certificates."""
    try:
        async with asyncio.timeout(ANSWER_S), log.admin() as admin:
            return await _asked(log, admin)
    except (KafkaError, OSError, TimeoutError) as wrong:
        reason = str(wrong) or type(wrong).__name__
        raise LogUnreachableError(f"Kafka at {', '.join(log.servers)} does not answer: {reason}") from wrong


async def _asked(log: KafkaLog, admin: AIOKafkaAdminClient) -> KafkaSurvey:
    cluster = await admin.describe_cluster()
    brokers = sorted(f"{broker['host']}:{broker['port']}" for broker in cluster["brokers"])
    topic: dict[str, Any] = (await admin.describe_topics([log.topic]))[0]
    if topic["error_code"]:
        return KafkaSurvey(brokers=brokers)
    partitions: list[dict[str, Any]] = topic["partitions"]
    settings = await log.settings(admin)
    state, consumers = await _group(log, admin)
    return KafkaSurvey(
        brokers=brokers,
        partitions=len(partitions),
        copies=min(len(one["replicas"]) for one in partitions),
        leaderless=sorted(one["partition"] for one in partitions if one["leader"] < 0),
        thin=sorted(one["partition"] for one in partitions if len(one["isr"]) < len(one["replicas"])),
        insync_least=int(settings.get("min.insync.replicas", "1")),
        retention_ms=int(settings.get("retention.ms", "-1")),
        group_state=state,
        consumers=consumers,
    )


async def _group(log: KafkaLog, admin: AIOKafkaAdminClient) -> tuple[str, list[str]]:
    """(the consumer group's state, its members); nothing when no group was ever there."""
    try:
        answers = await admin.describe_consumer_groups([log.group])
    except GroupCoordinatorNotAvailableError:
        return "", []
    for answer in answers:
        for group in answer.to_object()["groups"]:
            hosts = [f"{one['client_id']} {one['client_host']}".strip() for one in group["members"]]
            return group["state"], sorted(hosts)
    return "", []


__all__ = ["KafkaSurvey", "survey"]
