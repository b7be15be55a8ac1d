"""The book of labels: the built-in ones, those people added, and the words people added or switched off.

A change is a new version, audited; what is in force becomes a new `Labeller`, here at once and in every other process
within a second (`services/tuning/following.py`). Texts that came before are not labelled anew.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import to_builtins

from actors.errors import RejectedError
from services.errors import ConflictError
from services.labels.labelling import EVERY, Explained, Labeller
from services.labels.rules import GAP
from services.labels.words import BUILT_IN, LANGUAGES, SENSITIVE
from storage.label_records import Label, LabelBook, OwnWords
from storage.records import AuditRow

COLOURS = ("grey", "accent", "green", "amber", "red", "violet")
"""Colours of the design (ui/static/tokens.css)."""
SCREENS = ("en", "zh")
MOST_LABELS, LONGEST_NAME = 100, 40
MOST_WORDS, LONGEST_WORD, MOST_GAPS = 500, 80, 2
LONGEST_TRIED = 2_000
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PACKAGED_COLOURS = {
    "logistics": "accent",
    "refund": "amber",
    "return_exchange": "amber",
    "after_sales": "amber",
    "complaint": "red",
    "product_enquiry": "green",
    "promotion": "violet",
    "order_change": "accent",
    "payment": "violet",
    "account": "grey",
    "other": "grey",
}


class BookStore(Protocol):
    """Where the book is kept."""

    async def label_book(self) -> LabelBook | None:
        """The newest version; None while everything is as packaged."""
        ...

    async def put_label_book(self, book: LabelBook, audit: AuditRow) -> bool:
        """Store the version that follows; False when that version number is taken."""
        ...


class LabelsInForce:
    """The book as this process knows it, and the labeller made of it."""

    def __init__(self, store: BookStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._makers: list[Callable[[int], None]] = []
        self._lock = asyncio.Lock()
        self.book = LabelBook(version=0, at=0, who="")
        self._labeller: Labeller | None = None

    @property
    def labeller(self) -> Labeller:
        """Labels texts as the book says."""
        if self._labeller is None:
            self._labeller = Labeller(self.book.words, inactive(self.book))
        return self._labeller

    async def load(self) -> None:
        """Read the book, and make the labeller off the event loop: the first message does not wait for it."""
        await self._take(await self._store.label_book() or self.book)

    async def refresh(self) -> bool:
        """Read what another process may have changed; True when it did."""
        book = await self._store.label_book()
        if book is None or book.version <= self.book.version:
            return False
        await self._take(book)
        return True

    def on_made(self, told: Callable[[int], None]) -> None:
        """Call `told(version)` with every version that is made through this object."""
        self._makers.append(told)

    def labels(self) -> list[Label]:
        """Every label there is: the built-in ones first, in their order, then the others by id."""
        changed = {label.id: label for label in self.book.labels}
        packaged = [changed.pop(name, Label(id=name, colour=_PACKAGED_COLOURS[name])) for name in BUILT_IN]
        return [*packaged, *sorted(changed.values(), key=lambda label: label.id)]

    def explain(self, text: str, lang: str | None = None) -> Explained:
        """What a text would be labelled, and why. Raises RejectedError for one that is too long."""
        if len(text) > LONGEST_TRIED:
            raise RejectedError(f"the text has {len(text)} characters; try one of {LONGEST_TRIED} at most")
        return self.labeller.explain(text, lang)

    async def save(
        self, labels: Sequence[Label], words: Sequence[OwnWords], *, who: str, expected: int | None = None
    ) -> LabelBook:
        """The whole book anew, as the version that follows.

        Raises RejectedError for what is no label or word, ConflictError when `expected` is given and not in force.
        """
        checked = checked_labels(labels)
        kept = checked_words(words, {*BUILT_IN, SENSITIVE, *(label.id for label in checked)})
        async with self._lock:
            await self.refresh()
            if expected is not None and expected != self.book.version:
                raise ConflictError(
                    f"the labels are at version {self.book.version}, not {expected}: somebody changed them; read again"
                )
            book = LabelBook(version=self.book.version + 1, at=self._now(), who=who, labels=checked, words=kept)
            before, after = (_told(one) for one in (self.book, book))
            row = AuditRow(at=book.at, who=who, what="labels.saved", subject="labels", before=before, after=after)
            if not await self._store.put_label_book(book, row):
                await self.refresh()
                raise ConflictError("somebody changed the labels at the same moment; read them again")
            await self._take(book)
        for told in self._makers:
            told(book.version)
        return book

    async def _take(self, book: LabelBook) -> None:
        self._labeller = await asyncio.to_thread(_made, book)
        self.book = book


def _made(book: LabelBook) -> Labeller:
    """The labeller, with everything loaded that it needs."""
    labeller = Labeller(book.words, inactive(book))
    labeller.explain("a first text, so that no message waits for the models")
    return labeller


def inactive(book: LabelBook) -> frozenset[str]:
    """The labels that are not given any more."""
    return frozenset(label.id for label in book.labels if not label.active)


def checked_labels(labels: Sequence[Label]) -> list[Label]:
    """The labels when each is one; raises RejectedError."""
    if len(labels) > MOST_LABELS:
        raise RejectedError(f"labels: {len(labels)} are too many; keep {MOST_LABELS} at most")
    seen: set[str] = set()
    for label in labels:
        _check_id(label.id)
        if label.id in seen:
            raise RejectedError(f"labels: {label.id} stands there twice")
        seen.add(label.id)
        if label.colour not in COLOURS:
            raise RejectedError(f"labels: {label.id}: colour {label.colour!r} must be one of {', '.join(COLOURS)}")
        _check_names(label.id, label.names)
    return list(labels)


def checked_words(words: Sequence[OwnWords], known: set[str]) -> list[OwnWords]:
    """The words when each belongs to a label that there is; raises RejectedError."""
    count = sum(len(change.added) + len(change.off) for change in words)
    if count > MOST_WORDS:
        raise RejectedError(f"words: {count} changes are too many; keep {MOST_WORDS} at most")
    seen: set[tuple[str, str]] = set()
    for change in words:
        place = f"words: {change.label} in {change.lang}"
        if change.lang != EVERY and change.lang not in LANGUAGES:
            raise RejectedError(f"{place}: the language must be {EVERY} or one of {', '.join(LANGUAGES)}")
        if change.label not in known:
            raise RejectedError(f"{place}: there is no such label; add it first")
        if (change.lang, change.label) in seen:
            raise RejectedError(f"{place}: stands there twice")
        seen.add((change.lang, change.label))
        for word in (*change.added, *change.off):
            if not word.strip("*_ \t\r\n") or len(word) > LONGEST_WORD:
                raise RejectedError(
                    f"{place}: {word[:LONGEST_WORD]!r} must have 1 to {LONGEST_WORD} characters, not only * and _"
                )
            if word.split().count(GAP) > MOST_GAPS:
                raise RejectedError(f"{place}: {word!r} has more than {MOST_GAPS} gaps ({GAP})")
    return [change for change in words if change.added or change.off]


def _check_id(name: str) -> None:
    if not _ID.fullmatch(name) or name == SENSITIVE:
        raise RejectedError(
            f"labels: id {name[:60]!r} must be a-z, 0-9 and _, begin with a letter, have 40 characters at most,"
            f" and not be {SENSITIVE}"
        )


def _check_names(label: str, names: Mapping[str, str]) -> None:
    for screen, name in names.items():
        if screen not in SCREENS:
            raise RejectedError(f"labels: {label}: names are for {' and '.join(SCREENS)}, not {screen[:20]!r}")
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise RejectedError(f"labels: {label}: a name must have 1 to {LONGEST_NAME} printable characters")
    if label not in BUILT_IN and not names:
        raise RejectedError(f"labels: {label}: give it a name in one language at least")


def _told(book: LabelBook) -> dict[str, object]:
    return {"labels": to_builtins(book.labels), "words": to_builtins(book.words)}


__all__ = ["COLOURS", "SCREENS", "LabelsInForce", "checked_labels", "checked_words", "inactive"]
