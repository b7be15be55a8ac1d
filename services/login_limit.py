"""How often somebody may fail to log in: per address and name, and per address; bounded memory."""

from collections import OrderedDict
from collections.abc import Callable

from services.errors import TooManyAttemptsError

WINDOW_MS = 5 * 60_000
MOST_PER_NAME = 5
MOST_PER_ADDRESS = 50
MOST_KEPT = 20_000


class LoginLimit:
    """Counts failures in windows of five minutes; the oldest counters are forgotten beyond `MOST_KEPT`."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._failures: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def check(self, address: str, name: str) -> None:
        """Return when another attempt is allowed; raises TooManyAttemptsError."""
        now = self._now()
        for key, most in self._keys(address, name):
            since, count = self._failures.get(key, (now, 0))
            left = since + WINDOW_MS - now
            if count >= most and left > 0:
                raise TooManyAttemptsError(-(-left // 1000))

    def failed(self, address: str, name: str) -> None:
        """Count a failure (call it before the slow check, so that parallel guesses count too)."""
        now = self._now()
        for key, _ in self._keys(address, name):
            since, count = self._failures.pop(key, (now, 0))
            if now - since >= WINDOW_MS:
                since, count = now, 0
            self._failures[key] = (since, count + 1)
        while len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """Forget the failures of that name from that address, and the attempt that turned out right."""
        own, shared = (key for key, _ in self._keys(address, name))
        self._failures.pop(own, None)
        since, count = self._failures.get(shared, (self._now(), 1))
        self._failures[shared] = (since, max(0, count - 1))

    @staticmethod
    def _keys(address: str, name: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return ((address, name.casefold()[:200]), MOST_PER_NAME), ((address, ""), MOST_PER_ADDRESS)
