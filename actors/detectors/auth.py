"""`channel_silent` (auth): a channel's authorisation is `expired` or `revoked`, or its time to expire has passed.

Only `ok` resolves it; it opens on a channel never heard too. That webhooks' signatures fail (`extra.reason` is
`signatures`) is an anomaly of its own: the platform may accept what we send all the same.
"""

from __future__ import annotations

from typing import Any, cast

from actors.effects import Effects
from actors.events import Auth
from actors.sla import NEVER
from actors.spells import open_anomaly, resolve_anomaly, update_anomaly
from actors.state import Channel

SIGNATURES = "signatures"
"""The reason of an `auth` event that tells of webhooks alone."""


def on_auth(where: Channel, auth: Auth, now: int, out: Effects) -> None:
    """The platform told the state of the authorisation."""
    state = where.state
    if _reason(auth.extra) == SIGNATURES:
        _on_signatures(where, auth, now, out)
        return
    state.auth_status, state.auth_at = auth.status, now
    match auth.status:
        case "ok" | "expiring":
            if auth.status == "ok" or auth.expires_at is not None:
                state.expires_at = auth.expires_at
            if auth.status == "ok":
                resolve_anomaly(state, "channel_silent", ("auth",), now, "authorised", out)
            if auth.expires_at is not None:
                if auth.expires_at < now:
                    _open(where, "expired", now, now, out)
                else:
                    state.due = min(state.due, auth.expires_at)
        case "expired" | "revoked":
            state.expires_at = None
            _open(where, auth.status, now, now, out)


def expire(where: Channel, now: int, out: Effects) -> None:
    """The announced time to expire has passed."""
    state = where.state
    if state.expires_at is not None and state.expires_at < now:
        at, state.expires_at = state.expires_at, None
        state.auth_status = "expired"
        _open(where, "expired", at, at, out)


def next_due(where: Channel) -> int:
    """When the authorisation expires (ms)."""
    return NEVER if where.state.expires_at is None else where.state.expires_at


def _on_signatures(where: Channel, auth: Auth, now: int, out: Effects) -> None:
    if auth.status == "ok":
        resolve_anomaly(where.state, "channel_silent", (SIGNATURES,), now, "authorised", out)
    elif auth.status != "expiring" and not update_anomaly(
        where.state, "channel_silent", (SIGNATURES,), out, status=auth.status
    ):
        open_anomaly(
            where,
            None,
            "channel_silent",
            (SIGNATURES,),
            out,
            message=None,
            since=now,
            opened_at=now,
            severity="critical",
            evidence={"status": auth.status, "cause": "auth", "reason": SIGNATURES, "from": now},
            guide="auth",
        )


def _open(where: Channel, status: str, since: int, at: int, out: Effects) -> None:
    if update_anomaly(where.state, "channel_silent", ("auth",), out, status=status):
        return
    open_anomaly(
        where,
        None,
        "channel_silent",
        ("auth",),
        out,
        message=None,
        since=since,
        opened_at=at,
        severity="critical",
        evidence={"status": status, "cause": "auth"},
        guide="auth",
    )


def _reason(extra: Any) -> Any:
    return cast("dict[str, Any]", extra).get("reason") if isinstance(extra, dict) else None
