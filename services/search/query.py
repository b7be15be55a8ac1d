"""A line that somebody typed, as words and qualifiers: `refund from:lin platform:line after:2026-01`.

A value with blanks stands in quotation marks. What is no qualifier, or has a value that means nothing, is a word like
any other: nobody is told that he typed something wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from services.tracking import recognise
from storage.inbox_records import Scope
from storage.search_records import MessageSearch
from storage.texts import MAX_QUERY

_PIECE = re.compile(r'(?:(?P<name>[A-Za-z]{2,12})[:\uff1a](?=\S))?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
DECEMBER = 12


class Asked(Struct, frozen=True, kw_only=True):
    """What was understood. `words`: what texts, ids and names must have; `since`/`until`: [since, until) in ms."""

    words: str = ""
    sender: str | None = None
    order: str | None = None
    tracking: str | None = None
    platform: str | None = None
    account: str | None = None
    label: str | None = None
    contact: str | None = None
    conversation: str | None = None
    direction: Literal["in", "out"] | None = None
    since: int | None = None
    until: int | None = None

    @property
    def q(self) -> str | None:
        """The words, a tracking number among them; None when there are none."""
        return " ".join(word for word in (self.words, self.tracking) if word) or None

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return self == Asked()

    def search(self, scope: Scope) -> MessageSearch:
        """The same as the store is asked for it."""
        return MessageSearch(
            q=self.q,
            sender=self.sender,
            order=self.order,
            platform=self.platform,
            account=self.account,
            label=self.label,
            contact=self.contact,
            conversation=self.conversation,
            direction=self.direction,
            since=self.since,
            until=self.until,
            scope=scope,
        )


def parse(line: str, zone: tzinfo) -> Asked:
    """Understand a line; its days are those of `zone`."""
    found: dict[str, Any] = {}
    words: list[str] = []
    for name, value, piece in _pieces(line[:MAX_QUERY]):
        read = QUALIFIERS.get(name)
        understood = read(value, zone) if read and value.strip() else {}
        if not understood:
            words.append(piece)
        for field, one in understood.items():
            found[field] = _narrower(field, found.get(field), one)
    return Asked(words=_joined(" ".join(words)), **found)


def narrowed(asked: Asked, **chosen: Any) -> Asked:
    """With what was chosen beside the line; where both speak, what was chosen counts, but for the narrower time."""
    given = {field: value for field, value in chosen.items() if value is not None}
    return replace(asked, **{field: _narrower(field, getattr(asked, field), value) for field, value in given.items()})


def _pieces(line: str) -> Iterator[tuple[str, str, str]]:
    """(qualifier's name or "", value, the piece as words)."""
    for match in _PIECE.finditer(line):
        value = match["plain"] if match["quoted"] is None else match["quoted"]
        yield (match["name"] or "").lower(), value, match[0].replace('"', " ").strip()


def _joined(words: str) -> str:
    """A tracking number typed with blanks as one word with dashes, which is found however it was written."""
    for one in reversed(recognise(words)):
        number = re.sub(r"[\s-]+", "-", words[one.start : one.end])
        words = f"{words[: one.start]}{number}{words[one.end :]}"
    return words


def _narrower(field: str, before: Any, value: Any) -> Any:
    if before is None or field not in {"since", "until"}:
        return value
    return max(before, value) if field == "since" else min(before, value)


def _days(value: str, zone: tzinfo) -> tuple[int, int] | None:
    """[start, end) in ms of the day, month or year."""
    match = _DAY.fullmatch(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        start = datetime(cast("int", year), month or 1, day or 1, tzinfo=zone)
        if day is not None:
            end = start + timedelta(days=1)
        elif month is not None and month < DECEMBER:
            end = start.replace(month=month + 1)
        else:
            end = start.replace(year=start.year + 1, month=1)
    except (ValueError, OverflowError):
        return None
    return round(start.timestamp() * 1000), round(end.timestamp() * 1000)


def _before(value: str, zone: tzinfo) -> dict[str, Any]:
    days = _days(value, zone)
    return {"until": days[0]} if days else {}


def _after(value: str, zone: tzinfo) -> dict[str, Any]:
    days = _days(value, zone)
    return {"since": days[0]} if days else {}


def _on(value: str, zone: tzinfo) -> dict[str, Any]:
    days = _days(value, zone)
    return {"since": days[0], "until": days[1]} if days else {}


def _platform(value: str, _: tzinfo) -> dict[str, Any]:
    return {"platform": value.casefold()}


def _tracking(value: str, _: tzinfo) -> dict[str, Any]:
    return {"tracking": re.sub(r"\s+", "-", value.strip())}


def _conversation(value: str, _: tzinfo) -> dict[str, Any]:
    return {"conversation": value} if value.count("/") == 2 else {}  # noqa: PLR2004 # a key has three parts


def _as_it_is(field: str) -> Callable[[str, tzinfo], dict[str, Any]]:
    def read(value: str, _: tzinfo) -> dict[str, Any]:
        return {field: value}

    return read


QUALIFIERS: dict[str, Callable[[str, tzinfo], dict[str, Any]]] = {
    "from": _as_it_is("sender"),
    "order": _as_it_is("order"),
    "tracking": _tracking,
    "platform": _platform,
    "account": _as_it_is("account"),
    "label": _as_it_is("label"),
    "contact": _as_it_is("contact"),
    "before": _before,
    "after": _after,
    "on": _on,
    "in": _conversation,
}
