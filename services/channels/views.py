"""Bound channels and their platforms as the API and the command line show them: times as RFC 3339, no secrets."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from actors.times import rfc3339
from connectors.contract.connector import Connector
from connectors.webchat import Webchat
from services.channels.bindings import ChannelView
from services.channels.states import ChannelState
from storage.channel_records import SweepRow

View: TypeAlias = dict[str, Any]


def channel_view(channel: ChannelView) -> View:
    """One bound channel: names of what is set, never values."""
    times = ("created_at", "changed_at", "expires_at", "refresh_by")
    return msgspec.to_builtins(channel) | {name: _time(getattr(channel, name)) for name in times}


def state_view(state: ChannelState) -> View:
    """A bound channel with how it does under `state`."""
    standing = state.standing
    told: View = {
        "auth": state.auth,
        "oauth": state.oauth,
        "expires_at": _time(state.expires_at),
        "lacking": state.lacking,
        "subscription": standing.subscription,
        "detail": standing.detail,
        "trouble": standing.trouble,
        "trouble_since": _time(standing.since),
        "unrenewed": standing.unrenewed,
        "asked_at": _time(standing.asked_at or None),
        "last_in_at": _time(state.last_in_at),
        "signatures_since": _time(state.signatures_since),
        "gives_history": state.gives_history,
        "history": state.history,
        "sweep": None if state.sweep is None else _sweep_view(state.sweep),
    }
    return channel_view(state.channel) | {"state": told}


def platform_view(kind: type[Connector]) -> View:
    """What a platform wants to know, and what can be done there."""
    return {
        "platform": kind.platform,
        "settings": [msgspec.to_builtins(setting) for setting in kind.settings],
        "text_limit": kind.limits.text,
        "window_s": None if kind.limits.window_ms is None else kind.limits.window_ms // 1000,
        "oauth": kind.oauth is not None,
        "grants": list(kind.oauth.grants) if kind.oauth else [],
        "sends": kind.capabilities.sends,
        "history": kind.capabilities.history,
        "embed": kind.embed if issubclass(kind, Webchat) else None,
    }


def _sweep_view(row: SweepRow) -> View:
    times = ("ended_at", "swept_to", "failing_since")
    told = {name: getattr(row, name) for name in ("checked", "new", "new_ever", "reason")}
    return told | {name: _time(getattr(row, name)) for name in times}


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


__all__ = ["channel_view", "platform_view", "state_view"]
