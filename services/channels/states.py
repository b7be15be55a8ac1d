"""Each bound channel with all that tells whether it works: its authorisation, its platform's word, messages, sweeps."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct, field

from actors.anomaly import Anomaly
from actors.detectors.auth import SIGNATURES
from actors.keys import channel_key
from services.channels.bindings import Bindings, ChannelView
from services.channels.standing import Standing, standing_of
from storage.channel_ports import SweepStore
from storage.channel_records import SweepRow
from storage.ports import HealthStore
from storage.records import AnomalyFilter, ChannelRow

MOST_SPELLS = 500


class Sources(HealthStore, SweepStore, Protocol):
    """The parts of a store used here."""


class ChannelState(Struct, frozen=True, kw_only=True):
    """How one bound channel does. Times in ms.

    `auth`: ok, expiring, expired or revoked as it was last told of, None when nobody knows; `expires_at`: by what was
    granted or the platform said. `lacking`: permissions that are needed and were not given. `signatures_since`: since
    when webhooks' signatures fail. `sweep`: None before the first; `history`: how much of the past is fetched, 0 to 1,
    None when all of it is, or the platform gives none. `oauth`: whether it is authorised in a browser.
    """

    channel: ChannelView
    oauth: bool = False
    gives_history: bool = False
    auth: str | None = None
    expires_at: int | None = None
    lacking: list[str] = field(default_factory=list[str])
    standing: Standing = field(default_factory=Standing)
    last_in_at: int | None = None
    signatures_since: int | None = None
    sweep: SweepRow | None = None
    history: float | None = None


class ChannelStates:
    """Puts together what the store knows."""

    def __init__(self, store: Sources, bindings: Bindings) -> None:
        self._store = store
        self._bindings = bindings

    async def all(self) -> list[ChannelState]:
        """Every bound channel, by platform, then account."""
        views = await self._bindings.bindings()
        if not views:
            return []
        rows = {row.key: row for row in await self._store.channels()}
        sweeps = {channel_key(row.platform, row.account): row for row in await self._store.sweeps()}
        where = AnomalyFilter(kind="channel_silent", cause="auth", unresolved=True)
        spells = (await self._store.anomalies(where, MOST_SPELLS)).items
        failing = {_name(one): one.since for one in spells if one.evidence.get("reason") == SIGNATURES}
        return [self._state(view, rows, sweeps, failing) for view in views]

    def _state(
        self,
        view: ChannelView,
        rows: dict[str, ChannelRow],
        sweeps: dict[str, SweepRow],
        failing: dict[str, int],
    ) -> ChannelState:
        name = channel_key(view.platform, view.account)
        row, sweep = rows.get(name), sweeps.get(name)
        standing = standing_of(sweep)
        kind = self._bindings.connectors.get(view.platform)
        gives = kind is not None and kind.capabilities.history
        return ChannelState(
            channel=view,
            oauth=kind is not None and kind.oauth is not None,
            gives_history=gives,
            auth=(row.auth_status if row else None) or standing.auth,
            expires_at=standing.expires_at if view.expires_at is None else view.expires_at,
            lacking=sorted({*view.lacking, *standing.lacking}),
            standing=standing,
            last_in_at=row.last_in_at if row else None,
            signatures_since=failing.get(name),
            sweep=sweep if sweep is not None and (sweep.began_at or sweep.failing_since or sweep.swept_to) else None,
            history=_history(view, sweep) if gives else None,
        )


def _history(view: ChannelView, sweep: SweepRow | None) -> float | None:
    """How much of the past before it was bound is fetched; None when all of it is."""
    from services.sweeps.sweeps import HISTORY_MS, OWN  # noqa: PLC0415 # commands that only list need no HTTP client

    if sweep is None or sweep.swept_to is None:
        return 0.0
    if (sweep.cursor.get(OWN) or {}).get("since") is not None:
        return None
    return min(max((sweep.swept_to - view.created_at + HISTORY_MS) / HISTORY_MS, 0.0), 1.0)


def _name(anomaly: Anomaly) -> str:
    return channel_key(anomaly.platform, anomaly.account)


__all__ = ["ChannelState", "ChannelStates", "Sources"]
