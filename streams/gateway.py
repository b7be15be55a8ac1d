"""The ways in by name: the framing they share, and the gateway over the embedded log.

The one over Kafka is `streams.kafka.gateway.KafkaGateway`; it is imported where a cluster is meant.
"""

from streams.embedded.gateway import EmbeddedGateway
from streams.framing import FRAME_BYTES, FRAME_EVENTS, FramingGateway, Sink

__all__ = ["FRAME_BYTES", "FRAME_EVENTS", "EmbeddedGateway", "FramingGateway", "Sink"]
