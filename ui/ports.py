"""What the screens ask for beyond the services record: the live bus, the settings, and who is looking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Protocol


class Bus(Protocol):
    """Messages between the parts of Weir and its screens."""

    def subscribe(self, topic: str) -> AsyncIterator[Mapping[str, Any] | bytes]:
        """Messages of a topic from now on."""
        ...


class Settings(Protocol):
    """The settings the screens read; `api.settings.WebSettings` and `weir.config.Config` fit."""

    @property
    def origins(self) -> Collection[str]:
        """Further origins that browsers may open sockets from, beside the server's own."""
        ...
