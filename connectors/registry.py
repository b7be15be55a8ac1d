"""Every connector there is, by platform: the one list, and the shared parts none of which is one."""

from __future__ import annotations

from connectors.contract.connector import Connector

CONNECTORS: tuple[type[Connector], ...] = ()

BY_PLATFORM = {connector.platform: connector for connector in CONNECTORS}
