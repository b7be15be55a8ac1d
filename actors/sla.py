"""SLA clocks (SPEC section 4): first response, next response, resolution; business time only.

`SlaState` is the part of a conversation's state that keeps its deadlines. Its functions return the clocks that changed;
`due` tells when to look again. An answer observed at the due instant is in time.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from actors.calendar import Calendar

ClockKind: TypeAlias = Literal["first_response", "next_response", "resolution"]
NEVER = 2**62


class Policy(Struct, frozen=True, kw_only=True):
    """Targets in ms (None: not watched), and what it applies to: empty tuples mean everything. First match wins."""

    name: str = "default"
    first_response_ms: int | None = 30 * 60_000
    next_response_ms: int | None = 60 * 60_000
    resolution_ms: int | None = 24 * 3_600_000
    warning_ratio: float = 0.8
    calendar: Calendar = field(default_factory=Calendar)
    bot_answers: bool = False
    platforms: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()


class Clock(Struct, array_like=True, gc=False):
    """One deadline; all times in ms. `ordinal` numbers the clocks of a conversation from 0."""

    ordinal: int
    kind: ClockKind
    started_at: int
    due_at: int
    warn_at: int
    warned_at: int | None = None
    breached_at: int | None = None
    answered_at: int | None = None
    stopped: bool = False
