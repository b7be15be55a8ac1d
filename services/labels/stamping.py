"""Labels the customers' messages of a batch before it is saved, so that labels are as safe as the messages.

Only what customers write now: no history, no merged copy, nothing without text. Texts that were seen lately cost a
look-up; the others some hundred microseconds each, in portions, so that nothing else on the loop waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.labels.labelling import Labelled, Labeller
from services.labels.rules import LONGEST
from storage.label_records import OTHER, ConversationLabelled
from storage.records import Batch

PORTION = 16
"""Texts that are looked at before others on the loop get their turn: a few milliseconds' worth."""


class Stamping:
    """To be handed to the runtime; `labeller` gives the one in force."""

    def __init__(self, labeller: Callable[[], Labeller]) -> None:
        self._labeller = labeller

    async def __call__(self, batch: Batch) -> None:
        """Fill `batch.labelled`."""
        labeller = self._labeller()
        looked_at = labeller.looked_at
        found: dict[str, ConversationLabelled] = {}
        for stored in batch.effects.messages:
            event = stored.event
            if event.direction != "in" or not event.text or event.history or stored.merged_into is not None:
                continue
            if event.sender is not None and event.sender.role not in {None, "customer"}:
                continue
            labelled = labeller.label(event.text[:LONGEST], event.lang)
            if labelled.labels or labelled.lang:
                found[stored.key] = joined(stored.key, found.get(stored.key), labelled, told=event.lang is not None)
            if labeller.looked_at - looked_at >= PORTION:
                looked_at = labeller.looked_at
                await asyncio.sleep(0)
        batch.labelled = list(found.values())


def joined(key: str, before: ConversationLabelled | None, labelled: Labelled, *, told: bool) -> ConversationLabelled:
    """What the texts of one conversation say together; `told`: the platform named the language, nothing is guessed."""
    lang = None if told else labelled.lang
    if before is None:
        return ConversationLabelled(key, labelled.labels, lang, labelled.sensitive)
    labels = dict.fromkeys((*before.labels, *labelled.labels))
    if len(labels) > 1:
        labels.pop(OTHER, None)
    return ConversationLabelled(key, tuple(labels), lang or before.lang, before.sensitive or labelled.sensitive)


__all__ = ["PORTION", "Stamping", "joined"]
