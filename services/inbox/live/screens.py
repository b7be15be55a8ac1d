"""One open inbox: what it shows, and what waits to be told to it. What is newer replaces what was not told yet."""

from __future__ import annotations

import asyncio

from msgspec import Raw

from services.inbox.live.frames import encoded
from services.people.permissions import Caller
from storage.inbox_records import Scope

MOST_ALERTS = 50


class Screen:
    """Its waiting news are taken by `take`; `news` is set while there are any.

    `scope` says which conversations the person may see; the follower renews it.
    """

    def __init__(self, session: str, caller: Caller, scope: Scope) -> None:
        """`session` names this screen among all of a person's."""
        self.session = session
        self.caller = caller
        self.scope = scope
        self.keys: frozenset[str] = frozenset()
        self.thread: str | None = None
        self.news = asyncio.Event()
        self.closing: int | None = None
        """The code to close the socket with, once it is to be closed."""
        self._rows: dict[str, Raw] = {}
        self._gone: set[str] = set()
        self._fresh = 0
        self._calm = True
        """Whether the last second told of nothing out of sight."""
        self._counts: Raw | None = None
        self._told_counts = b""
        self._thread_changed = False
        self._others: dict[str, Raw] = {}

    def row(self, key: str, row: Raw) -> None:
        """A row in sight has changed."""
        self._gone.discard(key)
        self._rows[key] = row
        self.news.set()

    def gone(self, key: str) -> None:
        """A row in sight is no more, or not for this person."""
        self._rows.pop(key, None)
        self._gone.add(key)
        self.news.set()

    def fresh(self, count: int) -> None:
        """Something changed that is not in sight: told at once, then with other news or once a second."""
        self._fresh += count
        if self._calm:
            self.news.set()

    def second(self) -> None:
        """A second has passed."""
        self._calm = True
        if self._fresh:
            self.news.set()

    def counts(self, counts: Raw) -> None:
        """How many conversations each tab has; the same as told before is not told again."""
        if bytes(counts) != self._told_counts:
            self._told_counts = bytes(counts)
            self._counts = counts
            self.news.set()

    def thread_changed(self) -> None:
        """The open conversation has something new."""
        self._thread_changed = True
        self.news.set()

    def say(self, name: str, frame: Raw) -> None:
        """Another frame; of one `name` only the latest is told."""
        if len(self._others) < MOST_ALERTS or name in self._others:
            self._others[name] = frame
            self.news.set()

    def close(self, code: int) -> None:
        """The socket is to be closed, with this code."""
        self.closing = code
        self.news.set()

    def take(self, seq: int, at: int) -> list[bytes]:
        """What waits, as frames; nothing waits any more. `seq`: up to where the changes are told; `at` in ms."""
        self.news.clear()
        frames = [bytes(frame) for frame in self._others.values()]
        self._others = {}
        if self._rows or self._gone or self._fresh or self._counts is not None or self._thread_changed:
            frames.append(
                encoded(
                    {
                        "type": "news",
                        "seq": seq,
                        "at": at,
                        "rows": list(self._rows.values()),
                        "gone": sorted(self._gone),
                        "fresh": self._fresh,
                        "counts": self._counts,
                        "thread": {"key": self.thread} if self._thread_changed and self.thread else None,
                    }
                )
            )
            self._calm = self._calm and not self._fresh
            self._rows, self._gone, self._fresh = {}, set(), 0
            self._counts, self._thread_changed = None, False
        return frames


__all__ = ["Screen"]
