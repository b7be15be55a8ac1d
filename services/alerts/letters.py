"""What is written to people who have not opened something urgent, in their language; one letter for all that waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from services.alerts.deciding import Row, title_of
from services.alerts.senders import Letter

Kind: TypeAlias = Literal["own", "above", "test"]
MOST_LISTED = 20
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "own": "{n} urgent: not opened yet",
        "above": "{n} urgent: nobody has opened it",
        "test": "This is how you are told of urgent messages",
        "more": "and {n} more",
        "nothing": "This letter tells of nothing. It was sent because you tried out your notifications.",
    },
    "zh": {
        "own": "{n} 条紧急消息尚未打开",
        "above": "{n} 条紧急消息无人打开",
        "test": "紧急消息的通知就是这样显示的",
        "more": "以及另外 {n} 条",
        "nothing": "此消息仅因您测试了通知而发送。",
    },
}


def letter(kind: Kind, rows: Sequence[Row], lang: str | None, site: str) -> Letter:
    """A digest of these conversations; `site`: the address of the screens, "" where it is not known."""
    words = WORDS.get(lang or "en", WORDS["en"])
    subject = words[kind].format(n=len(rows))
    items = [_item(row, site) for row in rows[:MOST_LISTED]]
    lines = [" · ".join(part for part in (one["who"], one["channel"], one["url"]) if part) for one in items]
    if len(rows) > len(items):
        lines.append(words["more"].format(n=len(rows) - len(items)))
    text = "\n".join([subject, "", *lines] if kind != "test" else [subject, "", words["nothing"]])
    return Letter(subject=subject, text=text, items=items)


def _item(row: Row, site: str) -> dict[str, Any]:
    url = f"{site}/inbox?tab=all&key={quote(row.key, safe='')}" if site else ""
    return {"key": row.key, "who": title_of(row), "channel": f"{row.platform}/{row.account}", "url": url}


__all__ = ["Kind", "letter"]
