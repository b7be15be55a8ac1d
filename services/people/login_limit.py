"""How often somebody may fail to log in: per address and name, and per address; in all processes together."""

from services.errors import TooManyAttemptsError
from streams.coordination.rate_limits import Limit, RateLimits

WINDOW_MS = 5 * 60_000
MOST_PER_NAME = 5
MOST_PER_ADDRESS = 50
LONGEST_NAME = 200
PER_NAME = Limit(name="login", most=MOST_PER_NAME, window_ms=WINDOW_MS)
PER_ADDRESS = Limit(name="login-address", most=MOST_PER_ADDRESS, window_ms=WINDOW_MS)


class LoginLimit:
    """Counts attempts within any five minutes; one that turns out right is taken back."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def attempt(self, address: str, name: str) -> None:
        """Count an attempt; raises TooManyAttemptsError, and counts nothing, when there were too many.

        To be called before the slow check of the password, so that parallel guesses count too.
        """
        wait = await self._limits.take((PER_NAME, _who(address, name)), (PER_ADDRESS, address))
        if wait:
            raise TooManyAttemptsError(-(-wait // 1000))

    async def succeeded(self, address: str, name: str) -> None:
        """Forget the failures of that name from that address, and the attempt that turned out right."""
        await self._limits.forget(PER_NAME, _who(address, name))
        await self._limits.give_back(PER_ADDRESS, address)


def _who(address: str, name: str) -> str:
    return f"{address} {name.casefold()[:LONGEST_NAME]}"


__all__ = ["LoginLimit"]
