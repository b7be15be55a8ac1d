"""What can be done about files that are too large: said with the figure it would really come to."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from connectors.contract.outgoing import Objection
from storage.channel_records import ReplyRow

TOO_LARGE = frozenset({"file_too_large", "mail_too_large"})
MIB = 2**20


def is_too_large(found: Sequence[Objection]) -> bool:
    """Whether something is objected to for its size."""
    return any(one.code in TOO_LARGE for one in found)


def offering(
    found: Sequence[Objection], row: ReplyRow, packed: ReplyRow, left: Sequence[Objection]
) -> Sequence[Objection]:
    """The objections to a reply, with the size of archives of its files where the platform would take `packed`.

    `left`: what would be objected to then.
    """
    if is_too_large(left):
        return found
    sizes = {old.name: new.size for old, new in zip(row.files, packed.files, strict=True)}
    together = sum(sizes.values())
    return [_offered(one, sizes.get(str(one.figures.get("name")), together)) for one in found]


def _offered(one: Objection, compressed: int) -> Objection:
    if one.code not in TOO_LARGE:
        return one
    text = f"{one.text}; compressed it has {compressed / MIB:.3g} MB and goes: ask again with `compress`"
    return replace(one, text=text, figures={**one.figures, "compressed": compressed})


__all__ = ["is_too_large", "offering"]
