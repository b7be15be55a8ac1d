# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""Faust's transport over Kafka that delivers runs: what `faust.App(broker=KafkaLog.url)` finds by its scheme.

Faust's own (`kafka://`) runs the consumer in a second thread with a second loop and delivers one event per record.
"""

from __future__ import annotations

from functools import cached_property

import aiokafka
from faust.transport import base

from streams.kafka.consumer import KafkaConsumer
from streams.kafka.log import KafkaLog
from streams.kafka.producer import NoProducer


class Transport(base.Transport):
    """Consumer and producer for one KafkaLog of this process."""

    Consumer = KafkaConsumer
    Producer = NoProducer

    default_port = 9092
    driver_version = f"aiokafka={aiokafka.__version__}"

    @cached_property
    def log(self) -> KafkaLog:
        """The log this URL names; raises ConfigurationError when there is none."""
        return KafkaLog.at(str(self.url[0]))


__all__ = ["Transport"]
