"""The fault panel: what goes wrong, at which platform or shop, how often."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from actors.errors import RejectedError

Kind: TypeAlias = Literal[
    "drop",
    "delay",
    "reorder",
    "double",
    "silent",
    "suspend",
    "forge",
    "corrupt_attachment",
    "expire_attachment",
    "revoke_token",
    "rate_limit",
    "broken",
    "timeout_before",
    "timeout_after",
    "lost_answer",
    "late_answer",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
ABOUT: dict[Kind, str] = {
    "drop": "a push is never sent; the message exists",
    "delay": "a push is sent `seconds` late",
    "reorder": "a push waits until the next one of its shop was sent, or `seconds`",
    "double": "a push is sent twice",
    "silent": "nothing is pushed, everything is received",
    "suspend": "the webhook is switched off and the platform says so; everything is received",
    "forge": "a push carries a wrong signature",
    "corrupt_attachment": "a file comes with its end missing and its middle changed",
    "expire_attachment": "the address of a file is valid no more",
    "revoke_token": "the authorisation holds no more",
    "rate_limit": "a request is answered: too many",
    "broken": "a request is answered: internal error",
    "timeout_before": "a request is not carried out and not answered within `seconds`",
    "timeout_after": "a request is carried out and not answered within `seconds`",
    "lost_answer": "a message is sent and the connection breaks before the answer",
    "late_answer": "a message is sent and answered `seconds` late",
}
_DEFAULT_S = {"delay": 30.0, "reorder": 10.0, "timeout_before": 60.0, "timeout_after": 60.0, "late_answer": 5.0}
MOST_SECONDS = 7 * 24 * 3_600.0
EVERYBODY = "*"


class Fault(Struct, kw_only=True):
    """One thing that goes wrong. `shop`: an account, or all of the platform's; `share`: of what it could concern.

    `left`: how many times more (None: without end); `seconds`: see ABOUT (0: the kind's usual).
    """

    kind: Kind
    platform: str = EVERYBODY
    shop: str = EVERYBODY
    share: float = 1.0
    left: int | None = None
    seconds: float = 0.0

    @property
    def lasts(self) -> float:
        """Seconds, its own or the kind's usual."""
        return self.seconds or _DEFAULT_S.get(self.kind, 0.0)


class Faults:
    """The faults that are set; `struck` counts how often each kind struck."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.set: list[Fault] = []
        self.struck: dict[str, int] = {}
        self.changed: Callable[[], None] = lambda: None

    def replace(self, faults: Iterable[Fault]) -> None:
        """These faults and no others. Raises RejectedError."""
        self.set = [_checked(fault) for fault in faults]
        self.changed()

    def add(self, fault: Fault) -> None:
        """One more. Raises RejectedError."""
        self.set.append(_checked(fault))
        self.changed()

    def strikes(self, kind: Kind, platform: str, shop: str) -> Fault | None:
        """The fault that strikes now, and one time less is left of it; None when all goes well."""
        for fault in self.set:
            if fault.kind != kind or fault.left == 0 or not _concerns(fault, platform, shop):
                continue
            if fault.share < 1.0 and self._rng.random() >= fault.share:
                continue
            if fault.left is not None:
                fault.left -= 1
            self.struck[kind] = self.struck.get(kind, 0) + 1
            return fault
        return None


def read_faults(raw: bytes) -> list[Fault]:
    """Faults from JSON, a list of them. Raises RejectedError."""
    try:
        return msgspec.json.decode(raw, type=list[Fault])
    except msgspec.DecodeError as wrong:
        raise RejectedError(f"faults: {wrong}; give a list like [{{'kind': 'drop', 'platform': 'shopee'}}]") from wrong


def read_fault(text: str) -> Fault:
    """A fault from `kind@platform/shop:share:seconds`, all but the kind optional. Raises RejectedError."""
    what, _, rest = text.partition(":")
    kind, _, where = what.partition("@")
    platform, _, shop = where.partition("/")
    share, _, seconds = rest.partition(":")
    try:
        told = {"kind": kind, "platform": platform or EVERYBODY, "shop": shop or EVERYBODY}
        figures = {"share": float(share or 1), "seconds": float(seconds or 0)}
        return _checked(msgspec.convert(told | figures, Fault))
    except (ValueError, msgspec.ValidationError) as wrong:
        raise RejectedError(
            f"fault {text!r}: {wrong}; give it as kind@platform/shop:share:seconds, kind one of {', '.join(KINDS)}"
        ) from wrong


def _checked(fault: Fault) -> Fault:
    if not 0.0 <= fault.share <= 1.0:
        raise RejectedError(f"share: {fault.share} is not between 0 and 1")
    if not 0.0 <= fault.seconds <= MOST_SECONDS:
        raise RejectedError(f"seconds: {fault.seconds} is not between 0 and {MOST_SECONDS:.0f}")
    if fault.left is not None and fault.left < 0:
        raise RejectedError(f"left: {fault.left} is less than none")
    return fault


def _concerns(fault: Fault, platform: str, shop: str) -> bool:
    return fault.platform in {EVERYBODY, platform} and fault.shop in {EVERYBODY, shop}
