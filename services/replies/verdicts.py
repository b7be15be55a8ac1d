"""Why a reply is not taken, and what would become of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from actors.errors import RejectedError
from connectors.contract.outgoing import Limits, Objection
from services.errors import ConflictError
from services.templates.variables import unfilled

CannotSend: TypeAlias = Literal["unbound", "unusable", "read_only"]


class ObjectedError(RejectedError):
    """The platform would not take the reply; each of the `objections` says why and what to do."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__("; ".join(f"{one.code}: {one.text}" for one in objections))
        self.objections = tuple(objections)


class CannotSendError(RejectedError):
    """Nothing can be sent there at all; `code`: `unbound`, `unusable` (its settings are wrong) or `read_only`."""

    def __init__(self, code: CannotSend, reason: str) -> None:
        super().__init__(reason)
        self.code: CannotSend = code


class TwinError(ConflictError):
    """The same words went to the same conversation a moment ago: `ago_s` seconds, by `who`."""

    def __init__(self, ago_s: int, who: str) -> None:
        super().__init__(
            f'an identical reply was sent {ago_s} s ago by {who}; send it with {{"again": true}} if the customer is to'
            " get it twice"
        )
        self.ago_s, self.who = ago_s, who


class Prospect(Struct, frozen=True, kw_only=True):
    """What would become of a reply: `why_not` it cannot be sent from here at all, else what its platform objects to.

    `code` names that reason. `last_in_at`: when the platform had the customer's last message (ms); `limits` are those
    of the channel.
    """

    text: str
    limits: Limits
    objections: Sequence[Objection] = ()
    why_not: str | None = None
    code: CannotSend | None = None
    last_in_at: int | None = None


def left_to_fill(text: str) -> list[Objection]:
    """An objection to a template's variables that nobody has filled in."""
    names = unfilled(text)
    if not names:
        return []
    shown = ", ".join(f"{{{name}}}" for name in names)
    return [
        Objection(
            code="unfilled",
            text=f"{shown} is still to be filled in; write what belongs there",
            figures={"names": shown},
        )
    ]


__all__ = ["CannotSend", "CannotSendError", "ObjectedError", "Prospect", "TwinError", "left_to_fill"]
