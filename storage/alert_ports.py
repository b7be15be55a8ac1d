"""The part of the storage port that keeps whom a message was to reach, and how each person wants to be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storage.alert_records import AlertFilter, AlertSettings, ExpectedAlert, Fate
from storage.records import AuditRow, Page


class AlertStore(Protocol):
    """Expected alerts and people's wishes."""

    async def alert_settings(self, person: str) -> AlertSettings | None:
        """What a person wants; None when nothing was ever said."""
        ...

    async def put_alert_settings(self, settings: AlertSettings, audit: AuditRow) -> bool:
        """Store them with their audit row when `settings.version - 1` is the stored version (0: none), else False."""
        ...

    async def add_alerts(self, alerts: Sequence[ExpectedAlert]) -> None:
        """Note several; those whose id is there already change nothing."""
        ...

    async def alert(self, alert_id: str) -> ExpectedAlert | None:
        """One by its id."""
        ...

    async def change_alert(self, alert: ExpectedAlert) -> bool:
        """Replace one when `alert.version - 1` is the stored version, else False."""
        ...

    async def alerts(self, where: AlertFilter, limit: int, cursor: str | None = None) -> Page[ExpectedAlert]:
        """Newest first."""
        ...

    async def alerts_of_message(self, key: str, message: str) -> list[ExpectedAlert]:
        """Everybody who was to be told of one message, by person."""
        ...

    async def alerts_due(self, now: int, limit: int) -> list[ExpectedAlert]:
        """Those whose next rung's turn has come, by `due_at`."""
        ...

    async def alert_fates(self, since: int) -> dict[str, dict[Fate, int]]:
        """By person, how many alerts with at >= since met which fate; tests are not counted."""
        ...

    async def forget_alerts(self, before: int) -> int:
        """Forget those with at < before; the rows deleted."""
        ...


__all__ = ["AlertStore"]
