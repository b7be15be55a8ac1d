"""What a platform says to a reply while it is written: what it would refuse, what it dislikes, and what is left.

What blocks is what the connector objects to, the same as when the reply is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from actors.keys import split_key
from connectors.contract import rules
from connectors.contract.outgoing import Limits, Objection, Outgoing
from connectors.registry import BY_PLATFORM
from services.people.permissions import Caller
from services.replies.manners import warnings
from services.replies.replies import Ask, Replies
from services.replies.verdicts import CannotSend
from services.templates.variables import VARIABLES


class Checked(Struct, frozen=True, kw_only=True):
    """`sendable`: whether the channel takes replies at all, else `why` not and the `code` of that reason.

    `objections` block, `warnings` do not.

    `length` and `left` in the limits' unit; `window_ends_at`: until when the platform takes an answer (ms);
    `variables`: names that in braces are to be filled in.
    """

    sendable: bool
    limits: Limits
    length: int
    objections: Sequence[Objection] = ()
    warnings: Sequence[Objection] = ()
    why: str | None = None
    code: CannotSend | None = None
    left: int | None = None
    window_ends_at: int | None = None
    last_in_at: int | None = None
    variables: Sequence[str] = VARIABLES


class Linter:
    """Asks on behalf of who writes."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def check(self, caller: Caller, key: str, ask: Ask) -> Checked:
        """What would be said to this reply; nothing is kept or sent. Raises as `Replies.prospect` does."""
        seen = await self._replies.prospect(caller, key, ask)
        platform = split_key(key)[0]
        limits, objections = seen.limits, seen.objections
        if seen.why_not is not None:
            # Nothing leaves from here: what the platform is known to want is told all the same.
            limits = replace(BY_PLATFORM[platform].limits, window_ms=None) if platform in BY_PLATFORM else Limits()
            objections = rules.objections(Outgoing(id="", conversation="", at=0, text=ask.text), limits, 0)
        length = len(ask.text.encode("utf-8", "replace")) if limits.unit == "bytes" else len(ask.text)
        ends = None
        if limits.window_ms is not None:
            ends = 0 if seen.last_in_at is None else seen.last_in_at + limits.window_ms
        return Checked(
            sendable=seen.why_not is None,
            why=seen.why_not,
            code=seen.code,
            objections=objections,
            warnings=warnings(ask.text, platform, limits),
            limits=limits,
            length=length,
            left=None if limits.text is None else limits.text - length,
            window_ends_at=ends,
            last_in_at=seen.last_in_at,
        )


__all__ = ["Checked", "Linter"]
