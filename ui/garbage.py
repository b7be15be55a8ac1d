"""When Python collects garbage: a full collection in the middle of a tick stops every screen for a quarter second."""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 20_000, 50, 100
EVERY_S = 600.0
EVERY_CLIENTS = 300


class Collector:
    """Freezes what start-up made, then collects at times of its own choosing."""

    def __init__(self) -> None:
        self._gone = 0

    def start(self) -> None:
        """To be called once, after start-up and before the first page: frozen pages would never be freed."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, OLD)

    def client_gone(self) -> None:
        """A page was closed; pages are cyclic garbage, so every few hundred of them are worth a collection."""
        self._gone += 1
        if self._gone >= EVERY_CLIENTS:
            self.collect()

    def tidy(self) -> None:
        """Collect if any page was closed since the last time."""
        if self._gone:
            self.collect()

    def collect(self) -> None:
        """One full collection."""
        self._gone = 0
        gc.collect()
