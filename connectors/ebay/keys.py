"""The public keys of eBay's signatures, fetched by their id and kept for an hour ("getPublicKey").

Anybody may name a key: what is asked for in vain is remembered, and only so many are asked for in a minute.
"""

from __future__ import annotations

from actors.errors import PermanentError, RetriableError
from connectors.contract.calling import Api, DeniedError, RefusedError
from connectors.contract.connector import SignatureError, UnreadableError
from connectors.ebay.asking import Asking
from connectors.ebay.signing import Key, key_of

FRESH_MS = 3_600_000
MISSING_MS = 300_000
MOST_KEYS = 64
MOST_A_MINUTE = 10
_MINUTE_MS = 60_000
_EARLY_MS = 60_000
_NO_SUCH_KEY = frozenset({"400", "404"})


class Keys:
    """The keys that were asked for lately."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Key | None]] = {}
        self._asked: list[int] = []
        self._token: tuple[int, str] | None = None

    def key(self, kid: str) -> Key:
        """A key that was fetched; raises SignatureError when eBay has none of that id."""
        _, key = self._held.get(kid, (0, None))
        if key is None:
            raise SignatureError("X-EBAY-SIGNATURE names a key that eBay does not have")
        return key

    async def fetch(self, kid: str, asking: Asking, api: Api) -> None:
        """Fetch a key unless it was fetched lately. Raises RetriableError when it cannot be had now."""
        now = api.now()
        until, key = self._held.get(kid, (0, None))
        if now < until:
            return
        self._asked = [at for at in self._asked if now - _MINUTE_MS < at <= now]
        if len(self._asked) >= MOST_A_MINUTE:
            if key is not None:  # better an old one, while somebody asks for keys that there are not
                return
            raise RetriableError("too many keys of eBay's signatures are asked for now")
        self._asked.append(now)
        found = await self._found(kid, asking, now)
        while len(self._held) >= MOST_KEYS:
            self._held.pop(min(self._held, key=lambda held: self._held[held][0]))
        self._held[kid] = (now + (FRESH_MS if found else MISSING_MS), found)

    async def _found(self, kid: str, asking: Asking, now: int) -> Key | None:
        try:
            return key_of(await asking.public_key(kid, await self._granted(asking, now)))
        except DeniedError as wrong:
            self._token = None
            raise _put_off(wrong) from wrong
        except RefusedError as wrong:
            if wrong.code in _NO_SUCH_KEY:
                return None
            raise _put_off(wrong) from wrong
        except (PermanentError, UnreadableError) as wrong:
            raise _put_off(wrong) from wrong

    async def _granted(self, asking: Asking, now: int) -> str:
        """A token of the application itself, which needs no seller."""
        if self._token is None or now >= self._token[0]:
            fields = (("grant_type", "client_credentials"), ("scope", "https://api.ebay.com/oauth/api_scope"))
            granted = await asking.tokens(fields)
            until = (granted.expires_at or now + FRESH_MS) - _EARLY_MS
            self._token = (until, granted.access)
        return self._token[1]


def _put_off(wrong: Exception) -> RetriableError:
    return RetriableError(f"the key of eBay's signature cannot be fetched: {wrong}")
