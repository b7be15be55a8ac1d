"""Messages that a seller may begin, each of a kind that the platform knows and allows for an order or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from connectors.contract.calling import Api
from connectors.contract.outgoing import OutgoingFile


class Allowance(Struct, frozen=True, kw_only=True):
    """What a kind of message takes: `text`: the longest, None for none; `least` to `most` files."""

    text: int | None = None
    least: int = 0
    most: int = 0


@runtime_checkable
class TypedMessages(Protocol):
    """A connector of such a platform; `kinds`: all there are."""

    kinds: Mapping[str, Allowance]

    async def actions(self, order: str, api: Api) -> Sequence[str]:
        """The kinds that may be begun about an order now. Raises the errors of `connectors.contract.calling`."""
        ...

    async def act(self, order: str, kind: str, api: Api, *, text: str = "", files: Sequence[OutgoingFile] = ()) -> None:
        """Begin a message of a kind about an order, once. Raises the errors of `connectors.contract.calling`."""
        ...


__all__ = ["Allowance", "TypedMessages"]
