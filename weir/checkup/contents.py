"""What the database holds: people, thresholds, dead letters, channels."""

import asyncio
from collections.abc import AsyncIterator

from actors.errors import RejectedError
from actors.times import rfc3339
from services.tuning.thresholds import checked_overrides
from storage.ports import Store
from weir.checkup.finding import Finding

DAY_MS = 86_400_000
SOON_MS = 7 * DAY_MS
LOOKS, BETWEEN_S = 3, 0.5
"""What a running Weir is about to change by itself is gone at the next look."""


async def examine(store: Store, place: str, now: int) -> AsyncIterator[Finding]:
    """All of it, of an open store at `place`; `now` in ms."""
    problems = await _lasting_problems(store)
    for problem in problems:
        yield Finding("database", "broken", problem, "see the message")
    if not problems:
        yield Finding("database", "ok", f"{place} is sound")
    yield await _people(store)
    yield await _thresholds(store)
    for finding in await _letters_and_channels(store, now):
        yield finding


async def _lasting_problems(store: Store) -> list[str]:
    problems = await store.check()
    for _ in range(LOOKS - 1):
        if not problems:
            return []
        await asyncio.sleep(BETWEEN_S)
        again = set(await store.check())
        problems = [problem for problem in problems if problem in again]
    return problems


async def _people(store: Store) -> Finding:
    admins = [user.name for user in await store.users() if user.role == "admin" and not user.disabled]
    if admins:
        return Finding("people", "ok", f"admin: {', '.join(admins)}")
    return Finding("people", "broken", "nobody may administer Weir", "run `weir user add NAME --role admin`")


async def _thresholds(store: Store) -> Finding:
    version = await store.thresholds()
    if version is None:
        return Finding("thresholds", "ok", "the defaults")
    try:
        checked_overrides(version.overrides)
    except RejectedError as wrong:
        return Finding("thresholds", "broken", str(wrong), "bring an earlier version into force on the thresholds page")
    return Finding("thresholds", "ok", f"version {version.version} by {version.who}")


async def _letters_and_channels(store: Store, now: int) -> list[Finding]:
    findings: list[Finding] = []
    letters = [letter for letter in (await store.dead_letters(500)).items if letter.resolved_at is None]
    if letters:
        found = f"{len(letters)} entries could not be applied; the latest: {letters[0].reason}"
        findings.append(Finding("dead letters", "warning", found, "look at them on the settings page"))
    channels, bound = await store.channels(), {(row.platform, row.account) for row in await store.bindings()}
    for channel in channels:
        if (channel.platform, channel.account) in bound:
            continue  # what is bound is looked at by itself
        if channel.auth_status in ("expired", "revoked"):
            mend = "re-authorise it at the platform"
            findings.append(Finding(f"channel {channel.key}", "broken", f"authorisation {channel.auth_status}", mend))
        elif channel.auth_expires_at is not None and channel.auth_expires_at - now < SOON_MS:
            found = f"authorisation ends {rfc3339(channel.auth_expires_at)}"
            findings.append(Finding(f"channel {channel.key}", "warning", found, "renew it before then"))
    if not any(finding.what.startswith("channel ") for finding in findings):
        findings.append(Finding("channels", "ok", f"{len(channels)} channels, none without authorisation"))
    return findings
