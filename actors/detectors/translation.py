"""`translation_failed`: a translation failed, or one the team needs did not come in time; `ok` resolves it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from msgspec import json

from actors.effects import Effects
from actors.events import Translation
from actors.sla import NEVER
from actors.spells import open_on_message, resolve_anomaly
from actors.state import HISTORY, MERGED, OUTBOUND, Channel, Conversation, Held

KIND = "translation_failed"


LONGEST = 20_000
"""Characters of a translation that are kept."""


def on_message(where: Channel, c: Conversation, message: str, lang: str, now: int) -> None:
    """A message came in a language; one that nobody of the team reads needs a translation."""
    limits = where.limits
    if limits.translation_ms is None or not lang or _is_read(lang, limits.team_languages):
        return
    state = c.state
    due = state.translations[message] = now + limits.translation_ms
    if due < state.due:
        state.due = due


def on_status(where: Channel, c: Conversation, t: Translation, held: Held, now: int, out: Effects) -> None:
    """The fate of a translation; only of what customers write."""
    if held.flags & (OUTBOUND | HISTORY | MERGED):
        return
    state = c.state
    state.translations.pop(t.message, None)
    if t.status == "ok":
        if state.open:
            resolve_anomaly(state, KIND, (t.message,), now, "translated", out)
    else:
        open_on_message(where, c, KIND, (t.message,), held, now, out, {"status": "failed"})


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Messages untranslated when the grace ends."""
    state = c.state
    for message, due in [(m, d) for m, d in state.translations.items() if d < now]:
        del state.translations[message]
        held = state.held.get(message)
        if held is not None:
            open_on_message(where, c, KIND, (message,), held, due, out, {"status": "none"})


def next_due(c: Conversation) -> int:
    """The end of the earliest grace (ms)."""
    return min(c.state.translations.values(), default=NEVER)


def words_of(t: Translation) -> str | None:
    """What the translation says, with its languages, as JSON; None when it was told without its words.

    The specification has no field for them: `text` comes as a further field of the event, or within its `detail`.
    """
    for told in (t.extra, t.detail):
        text = cast("dict[str, Any]", told).get("text") if isinstance(told, dict) else None
        if isinstance(text, str) and text:
            said = {"text": text[:LONGEST], "source": t.source, "target": t.target}
            return json.encode(said).decode()
    return None


@lru_cache(maxsize=1_024)
def _is_read(lang: str, team: frozenset[str]) -> bool:
    lang = lang.lower()
    return lang in team or lang.replace("_", "-").partition("-")[0] in team
