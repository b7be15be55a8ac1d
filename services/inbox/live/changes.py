"""Which conversations changed, in order: a screen that was away is told what it missed by the number it had last."""

from __future__ import annotations

from collections.abc import Iterable

MOST = 50_000


class Changes:
    """The latest change of each conversation, numbered; the longest unchanged ones are forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._latest: dict[str, int] = {}
        self._forgotten = 0
        self.seq = 0
        """The number of the latest change; 0 before the first one."""

    def add(self, keys: Iterable[str]) -> int:
        """These changed just now; the number of the last of them."""
        latest = self._latest
        for key in keys:
            self.seq += 1
            latest.pop(key, None)
            latest[key] = self.seq
        while len(latest) > self._most:
            oldest = next(iter(latest))
            self._forgotten = latest.pop(oldest)
        return self.seq

    def number(self, key: str) -> int:
        """The number of a conversation's latest change; of one that is not remembered, that of the last forgotten."""
        return self._latest.get(key, self._forgotten)

    def since(self, seq: int, most: int) -> list[str] | None:
        """The conversations changed after `seq`, the latest first; None when they are forgotten or more than `most`."""
        if not self._forgotten <= seq <= self.seq:
            return None
        found: list[str] = []
        for key in reversed(self._latest):
            if self._latest[key] <= seq:
                break
            if len(found) == most:
                return None
            found.append(key)
        return found

    def lost(self) -> None:
        """Something changed that nobody can name: whoever comes back has to read everything."""
        self.seq += 1
        self._latest.clear()
        self._forgotten = self.seq


__all__ = ["Changes"]
