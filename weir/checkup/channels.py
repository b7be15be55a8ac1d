"""Bound channels: whether their secrets open, their settings are complete, and their authorisations hold."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from actors.errors import WeirError
from actors.times import rfc3339
from connectors.registry import BY_PLATFORM
from services.channels.bindings import Bindings
from services.channels.states import ChannelState, ChannelStates
from storage.ports import Store
from weir.checkup.finding import Finding
from weir.config import Config
from weir.parts.vault import made_vault

SOON_MS = 7 * 86_400_000
AUTHORISE = "authorise it: `weir channel authorise`, or the channels' page"


async def examine(store: Store, config: Config, now: int, *, online: bool) -> AsyncIterator[Finding]:
    """Each bound channel; `now` in ms. `online`: its platform is asked as well."""
    try:
        bindings = Bindings(store, made_vault(config), BY_PLATFORM, lambda: now)
        states = await ChannelStates(store, bindings).all()
    except WeirError as wrong:
        yield Finding("bound channels", "broken", str(wrong), "see the message")
        return
    if not states:
        yield Finding("bound channels", "ok", "none is bound")
    for state in states:
        found = _offline(state, now)
        if online and found.state != "broken":
            found = await _asked(bindings, state, found)
        yield found


def _offline(state: ChannelState, now: int) -> Finding:
    """The worst that is known without asking anybody."""
    channel, ends, until = state.channel, state.expires_at, state.channel.refresh_by
    what = f"channel {channel.platform}/{channel.account}"
    # What is renewed without a person ends when it cannot be renewed any more.
    ends = until if ends is not None and until is not None else ends
    shown = "" if ends is None else rfc3339(ends)
    if channel.trouble or channel.missing:
        found = channel.trouble or f"settings lack: {', '.join(channel.missing)}"
        return Finding(what, "broken", found, "see the message; `weir channel add` gives settings")
    if state.auth in ("expired", "revoked"):
        return Finding(what, "broken", f"authorisation {state.auth}", AUTHORISE)
    if ends is not None and ends <= now:
        return Finding(what, "broken", f"the authorisation ended {shown}", AUTHORISE)
    if state.signatures_since is not None:
        found = f"signatures fail since {rfc3339(state.signatures_since)}"
        return Finding(what, "broken", found, "compare the secret with the platform's; `weir channel add` changes it")
    found = _of_platform(what, state.standing.subscription, state.lacking)
    if found is None and ends is not None and ends - now < SOON_MS:
        return Finding(what, "warning", f"the authorisation ends {shown}", AUTHORISE)
    return found or Finding(what, "ok", f"authorised until {shown}" if shown else "bound")


def _of_platform(what: str, subscription: str, lacking: list[str]) -> Finding | None:
    """What the platform said that is not well."""
    if subscription == "disabled":
        return Finding(what, "broken", "the platform sends no webhooks", "switch them on there")
    if lacking:
        return Finding(what, "warning", f"permissions lack: {', '.join(lacking)}", f"{AUTHORISE}, and allow them")
    return None


async def _asked(bindings: Bindings, state: ChannelState, found: Finding) -> Finding:
    from services.channels.platform_api import Apis  # noqa: PLC0415 # only who asks a platform loads the HTTP client
    from services.channels.probes import probed  # noqa: PLC0415 # as above
    from streams.coordination.rate_limits import LocalRateLimits  # noqa: PLC0415 # as above

    current = await bindings.current(state.channel.platform, state.channel.account)
    if current is None:
        return found
    apis = Apis(LocalRateLimits(), wall_ms)
    try:
        told = await probed(current[1], apis.of(current[1]))
    finally:
        await apis.close()
    match told.state:
        case "denied":
            return Finding(found.what, "broken", f"the platform does not accept us: {told.reason}", AUTHORISE)
        case "unasked":
            return Finding(found.what, "warning", f"the platform could not be asked: {told.reason}", "see the message")
        case "ok" | "unknown":
            return _of_platform(found.what, told.subscription, told.lacking) or found


def wall_ms() -> int:
    """The time in ms: a platform's answers are signed and judged by it."""
    return time.time_ns() // 1_000_000
