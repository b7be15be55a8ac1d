# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""Faust's transport over the embedded log: `embedded://local/path/of/the/log`.

The log must be open in this process (`EmbeddedLog.open`): gateway and streams share it. One member, hence no
rebalancing: the first subscription assigns every partition. Faust's own conductor and fetcher are used unchanged.
"""

from __future__ import annotations

import sqlite3
from functools import cached_property
from urllib.parse import unquote

from faust.transport import base

from streams.embedded.consumer import EmbeddedConsumer
from streams.embedded.log import EmbeddedLog
from streams.embedded.producer import EmbeddedProducer


class Transport(base.Transport):
    """What `faust.App(broker="embedded://…")` finds by its scheme."""

    Consumer = EmbeddedConsumer
    Producer = EmbeddedProducer

    default_port = 0
    driver_version = f"sqlite={sqlite3.sqlite_version}"

    @cached_property
    def log(self) -> EmbeddedLog:
        """The log this URL names; raises ConfigurationError when it is not open."""
        return EmbeddedLog.at(unquote(self.url[0].raw_path))
