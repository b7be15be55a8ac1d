"""Records of labels: what a flush says of conversations, the catalogue with the words people added, who labelled what.

Times are integer milliseconds. A label's id is 1 to 40 characters of a-z, 0-9 and `_` (`services.labels` checks it).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

OTHER = "other"
"""The label of what fits nothing: given by rules, it is in effect only while the conversation has no other."""


class ConversationLabelled(Struct, frozen=True, gc=False):
    """What the texts of one flush say of a conversation: labels to be given, the language guessed, whether to hurry."""

    key: str
    labels: tuple[str, ...] = ()
    lang: str | None = None
    sensitive: bool = False


class OwnWords(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people changed for one label in one language (`*`: every one): words added, packaged ones switched off."""

    lang: str
    label: str
    added: list[str] = field(default_factory=list[str])
    off: list[str] = field(default_factory=list[str])


class Label(Struct, frozen=True, kw_only=True):
    """One label of the catalogue. `names` by language of the screens; `colour`: one of the design's."""

    id: str
    names: dict[str, str] = field(default_factory=dict[str, str])
    colour: str = "grey"
    active: bool = True


class LabelBook(Struct, frozen=True, kw_only=True):
    """One version of everything people decided about labels; `labels` are custom ones and changed built-in ones."""

    version: int
    at: int
    who: str
    labels: list[Label] = field(default_factory=list[Label])
    words: list[OwnWords] = field(default_factory=list[OwnWords])


class LabelChange(Struct, frozen=True, kw_only=True):
    """What somebody does to the labels of one conversation. `sensitive`: put into the priority queue, or out of it."""

    at: int
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    sensitive: bool | None = None


def in_effect(automatic: Iterable[str], manual: Iterable[str], removed: Iterable[str]) -> list[str]:
    """The labels a conversation bears, sorted: given by rules or people, and not taken away by people."""
    by_rules, by_people = set(automatic), set(manual)
    shown = (by_rules | by_people) - set(removed)
    if OTHER not in by_people and (by_rules | by_people) - {OTHER}:
        shown.discard(OTHER)
    return sorted(shown)


__all__ = ["OTHER", "ConversationLabelled", "Label", "LabelBook", "LabelChange", "OwnWords", "in_effect"]
