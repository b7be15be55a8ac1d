# pyright: basic
# aiokafka has no stubs: strict mode would report its code, not ours.
"""How to reach the brokers: addresses, time-outs, encryption and login, as every client of the log shares them."""

from __future__ import annotations

from ssl import SSLContext
from typing import Any

from aiokafka.helpers import create_ssl_context
from msgspec import Struct

from actors.errors import ConfigurationError

REQUEST_MS = 12_000
"""For any one answer of a broker; joining the group may be held back for the rebalance time-out."""
METADATA_MS = 30_000


class KafkaSecurity(Struct, frozen=True, kw_only=True):
    """`protocol`: plaintext, ssl, sasl_plaintext or sasl_ssl; `ca`, `cert` and `key` are PEM files, empty for none."""

    protocol: str = "plaintext"
    mechanism: str = "SCRAM-SHA-512"
    user: str = ""
    password: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""

    def __repr__(self) -> str:
        """Without the password."""
        return f"KafkaSecurity(protocol={self.protocol!r}, mechanism={self.mechanism!r}, user={self.user!r})"

    def options(self) -> dict[str, Any]:
        """What aiokafka's clients take; raises ConfigurationError when a file does not fit."""
        options: dict[str, Any] = {"security_protocol": self.protocol.upper()}
        if self.protocol.endswith("ssl"):
            options["ssl_context"] = self._context()
        if self.protocol.startswith("sasl"):
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.user
            options["sasl_plain_password"] = self.password
        return options

    def _context(self) -> SSLContext:
        try:
            return create_ssl_context(cafile=self.ca or None, certfile=self.cert or None, keyfile=self.key or None)
        except OSError as wrong:
            raise ConfigurationError(
                f"the certificates for Kafka cannot be used ({wrong}): check kafka_ca, kafka_cert and kafka_key"
            ) from wrong


def servers_of(url: str) -> list[str]:
    """The brokers of `kafka://host:port,host:port`; raises ConfigurationError for anything else."""
    scheme, _, places = url.partition("://")
    if scheme != "kafka" or not places:
        raise ConfigurationError(f"the broker {url!r} is none: write it like kafka://host:9092")
    return [place if ":" in place.rpartition("]")[2] else f"{place}:9092" for place in places.strip("/").split(",")]


__all__ = ["METADATA_MS", "REQUEST_MS", "KafkaSecurity", "servers_of"]
