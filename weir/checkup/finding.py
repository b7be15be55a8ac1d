"""What a check found."""

from typing import Literal

from msgspec import Struct

CLOCK_SLACK_MS = 2_000
"""Clocks that differ by more make delays look like what they are not."""


class Finding(Struct, frozen=True):
    """One thing looked at: `what`, how it is, and `mend`, what to do when it is not well."""

    what: str
    state: Literal["ok", "warning", "broken"]
    found: str
    mend: str = ""


def clock(what: str, ahead_ms: int | None, took_ms: int) -> Finding:
    """How far the clock of `what` is from this machine's; asking took `took_ms`."""
    if ahead_ms is None:
        return Finding(f"clock of {what}", "ok", "it does not tell its time")
    found = f"{abs(ahead_ms)} ms {'ahead of' if ahead_ms > 0 else 'behind'} this machine's"
    if abs(ahead_ms) <= CLOCK_SLACK_MS + took_ms:
        return Finding(f"clock of {what}", "ok", found)
    return Finding(f"clock of {what}", "warning", found, "mend the time service of one of the two machines")


__all__ = ["CLOCK_SLACK_MS", "Finding", "clock"]
