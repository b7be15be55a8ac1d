"""Files that a platform takes by their address alone, and fetches from there."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.calling import RefusedError
from connectors.contract.outgoing import Objection, Outgoing, OutgoingFile

_CODE = "file_without_address"


def unfetchable(message: Outgoing, *, secure: bool = False) -> Iterator[Objection]:
    """Objections to files that the platform could not fetch; `secure`: it asks addresses of https alone."""
    for file in message.files:
        if file.url is None:
            yield Objection(
                code=_CODE,
                text=f"the platform fetches {file.name!r} from this Weir, which has no public address; describe it"
                " instead, or ask whoever runs this Weir to give it one",
                figures={"name": file.name},
            )
        elif secure and not file.url.startswith("https://"):
            yield Objection(
                code=_CODE,
                text=f"the platform fetches {file.name!r} by https only, and this channel is bound with an address of"
                " http; describe it instead, or ask whoever runs this Weir to bind the channel with one of https",
                figures={"name": file.name},
            )


def address_of(file: OutgoingFile) -> str:
    """Where the platform fetches a file; raises RefusedError when there is no such place."""
    if file.url is None:
        raise RefusedError("the platform fetches files, and this Weir has no public address", _CODE)
    return file.url


__all__ = ["address_of", "unfetchable"]
