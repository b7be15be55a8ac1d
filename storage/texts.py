"""What is searched of a message, and how it is folded: the same for every adapter.

Scripts written without spaces are split into single characters and searched as a phrase, so that one character is
found and scattered ones are not. Other scripts go by word, the last one as a prefix. Both sides pass `folded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from unicodedata import category, normalize

from actors.events import Message

SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"  # Thai, Lao, Burmese, Hangul letters, Khmer
    "\u3005-\u3007\u3041-\u30ff\u3105-\u318f\u31f0-\u31ff"  # kana, bopomofo, Hangul letters
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"  # Han, Hangul
    "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"  # symbols and emoji
)
SPACELESS_RUN = re.compile(f"[{SPACELESS}]+")
_WITHIN_ORDERS = re.compile(r"[\s\-_#]+")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63]")
# Starts at a word's beginning and never backtracks: a hostile text of 256 KiB costs one pass.
_DASHED = re.compile(r"(?<![^\W_])[^\W_]++(?:-++[^\W_]++)++")
CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

MAX_QUERY = 256
MAX_TERMS = 12
NAMES = 8_192
LONGEST_NAME = 100
"""Of names that are remembered as they are folded: how many, and how many letters."""
VERSION_MARK = " \ue000 "
"""Between versions of a text, so that no phrase runs from one into the next."""


def folded(text: str) -> str:
    """The text as it is indexed: width and case gone, dashes alike, spaceless characters apart."""
    if text.isascii():
        return text  # the tokenizer folds ASCII itself
    return SPACELESS_RUN.sub(_apart, alike(text))


def alike(text: str) -> str:
    """The text without width and case, its dashes alike."""
    # NFKC makes "No" of the numero sign, which must not grow together with its number.
    text = normalize("NFKC", normalize("NFKC", text.replace("\u2116", "\u2116 ")).casefold())
    return _DASHES.sub("-", text)


def _apart(run: re.Match[str]) -> str:
    return f" {' '.join(run[0])} "


def undashed(text: str) -> str:
    """A folded text with the dashes inside numbers and ids taken out; empty when it has none."""
    if "-" not in text:
        return ""
    joined = _DASHED.sub(_without_dashes, text)
    return "" if joined == text else joined


def dashes_within_ids(text: str) -> list[int]:
    """Where in a folded text the dashes are that `undashed` takes out."""
    spans = [match.span() for match in _DASHED.finditer(text) if any(map(str.isdigit, match[0]))] if "-" in text else []
    return [place for start, end in spans for place in range(start, end) if text[place] == "-"]


def _without_dashes(match: re.Match[str]) -> str:
    word = match[0]
    return word.replace("-", "") if any(map(str.isdigit, word)) else word


def order_key(order: str) -> str:
    """An order id as it is compared: no width, case, dashes or spaces."""
    return _WITHIN_ORDERS.sub("", folded(order).casefold())


def document(event: Message, later: Iterable[str | None] = ()) -> tuple[str, str, str]:
    """What is indexed of a message: its text with all `later` versions, its ids, and who wrote it.

    A contentless index forgets a row only when given the very same words: this stays a function of what is stored.
    """
    text = event.text or ""
    for version in later:
        if version:
            text = f"{text}{VERSION_MARK}{version}"
    text = folded(text)
    ids = f"{event.message} {event.order}" if event.order else event.message
    if "-" in ids:
        ids = " ".join([ids, *(word.replace("-", "") for word in (event.message, event.order or "") if "-" in word)])
    ids = folded(ids)
    if "-" in text:
        ids = f"{ids} {undashed(text)}"
    sender = event.sender
    if sender is None:
        return text, ids, ""
    name, known = sender.name, sender.id
    return text, ids, _folded_name(f"{name} {known}" if name and known else name or known or "")


def _folded_name(name: str) -> str:
    return _remembered(name) if len(name) <= LONGEST_NAME else folded(name)


@lru_cache(maxsize=NAMES)
def _remembered(name: str) -> str:
    """Whoever writes does so again and again."""
    return folded(name)


def query_words(query: str) -> list[str]:
    """What somebody typed, as folded words that hold something that is indexed."""
    words = [folded(word) for word in CONTROL.sub(" ", query[:MAX_QUERY]).split()]
    return [word for word in words if any(map(indexed, word))][:MAX_TERMS]


def indexed(letter: str) -> bool:
    """Whether a folded text's letter is looked for: letters, marks, numbers, symbols."""
    kind = category(letter)
    return kind[0] in "LMN" or kind == "So"
