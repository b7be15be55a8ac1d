"""Messages that a seller may begin: of kinds that an order allows, or in words that the platform approved before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Struct

from connectors.contract.calling import Api, RefusedError
from connectors.contract.outgoing import OutgoingFile

BLANK = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
"""A place in approved words that is filled in."""


class Allowance(Struct, frozen=True, kw_only=True):
    """What a kind of message takes: `text`: the longest, None for none; `least` to `most` files."""

    text: int | None = None
    least: int = 0
    most: int = 0


class Place(Struct, frozen=True, kw_only=True):
    """Where a message will stand here: the platform's ids of the conversation and of the customer who wrote last."""

    conversation: str
    customer: str | None = None


class Beginning(Struct, frozen=True, kw_only=True):
    """A message of a kind that is to be begun about an order; `place`: where it will stand."""

    order: str
    kind: str
    text: str = ""
    files: Sequence[OutgoingFile] = ()
    place: Place | None = None


class Wording(Struct, frozen=True, kw_only=True):
    """Words that a platform approved. `kind` names them; `title` and `lang` as the platform has them.

    `words`: all of the message, with `{{name}}` where something is filled in; `media`: the kind of the one file that
    stands above them, None for none.
    """

    kind: str
    title: str
    lang: str
    words: str
    media: Literal["image", "video", "document"] | None = None

    @property
    def blanks(self) -> tuple[str, ...]:
        """The names of what is filled in, in the order in which they stand, each once."""
        return tuple(dict.fromkeys(BLANK.findall(self.words)))


@runtime_checkable
class TypedMessages(Protocol):
    """A connector of a platform that allows kinds of messages for an order; `kinds`: all there are.

    `place`: the conversation that the message will stand in. An order that leads to another one is refused (`elsewhere`
    raises that): it is another customer's.
    """

    kinds: Mapping[str, Allowance]

    async def actions(self, order: str, api: Api, *, place: Place | None = None) -> Sequence[str]:
        """The kinds that may be begun about an order now. Raises the errors of `connectors.contract.calling`."""
        ...

    async def language(self, order: str, api: Api) -> str | None:
        """In which language the buyer is written to, as a tag (BCP 47); None when it is not told. Raises the same."""
        ...

    async def act(self, asked: Beginning, api: Api) -> str | None:
        """Begin a message, once; the platform's id of it, where it tells one.

        Raises the errors of `connectors.contract.calling`.
        """
        ...


class AllKinds:
    """Of a connector whose platform allows all kinds at any time and tells no language."""

    kinds: ClassVar[Mapping[str, Allowance]]

    async def actions(self, order: str, api: Api, *, place: Place | None = None) -> Sequence[str]:
        """All of them: what the platform refuses all the same it says when one is begun."""
        del order, api, place
        return list(self.kinds)

    async def language(self, order: str, api: Api) -> str | None:
        """None is told."""
        del order, api


@runtime_checkable
class WordedMessages(Protocol):
    """A connector of a platform that takes approved words at any time, and nothing else once its window is over."""

    async def wordings(self, api: Api) -> Sequence[Wording]:
        """All that may be sent now. Raises the errors of `connectors.contract.calling`."""
        ...

    async def say(
        self,
        conversation: str,
        reply: str,
        wording: Wording,
        filled: Mapping[str, str],
        api: Api,
        *,
        files: Sequence[OutgoingFile] = (),
    ) -> str:
        """Send them once, under the id of a reply; the platform's id of it. Raises the errors of calling."""
        ...


def held_to(asked: Beginning, kinds: Mapping[str, Allowance]) -> Allowance:
    """What the kind takes. Raises RefusedError (code `kind`, `text` or `files`) when the message is not that."""
    kind, text, files = asked.kind, asked.text, len(asked.files)
    allowed = kinds.get(kind)
    if allowed is None:
        raise RefusedError(f"there are no messages of the kind {kind[:60]!r} here", "kind")
    if allowed.text is None and text:
        raise RefusedError(f"{kind} takes no text", "text")
    if allowed.text is not None and not 0 < len(text.strip()) <= len(text) <= allowed.text:
        raise RefusedError(f"{kind} takes 1 to {allowed.text} characters, not {len(text)}", "text")
    if not allowed.least <= files <= allowed.most:
        raise RefusedError(f"{kind} takes {allowed.least} to {allowed.most} files, not {files}", "files")
    return allowed


def numbered(value: str, what: str) -> str:
    """A platform's number of something, which consists of digits. Raises RefusedError (code `number`)."""
    found = value.strip()
    if not (found.isascii() and found.isdigit()):
        raise RefusedError(f"{what} is a number, not {found[:60]!r}", "number")
    return found


def elsewhere(found: str, place: Place | None) -> None:
    """Raise RefusedError (code `other_customer`) when an order's conversation is not the one the message stands in."""
    if place is not None and found != place.conversation:
        reason = "the order is another customer's; begin the message in that customer's conversation"
        raise RefusedError(reason, "other_customer")


def worded(wording: Wording, filled: Mapping[str, str]) -> str:
    """The message as the customer reads it. Raises RefusedError (code `blanks`) for what is left out or unknown."""
    if set(filled) != set(wording.blanks) or not all(value.strip() for value in filled.values()):
        names = ", ".join(wording.blanks) or "nothing"
        raise RefusedError(f"these words want {names} to be filled in, each with something, and no more", "blanks")
    return BLANK.sub(lambda found: filled[found.group(1)], wording.words)


__all__ = [
    "BLANK",
    "AllKinds",
    "Allowance",
    "Place",
    "TypedMessages",
    "WordedMessages",
    "Wording",
    "elsewhere",
    "held_to",
    "numbered",
    "worded",
]
