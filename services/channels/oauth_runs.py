"""Channels authorised in a browser: a person of the product is sent to the platform, and comes back with a code.

What belongs to a run travels in its `state`, sealed so that nobody reads or makes one: it is good for ten minutes, for
the session that began it, for the binding as it was then, and once. After RFC 6749 (10.12) and RFC 9700 (4.7).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from msgspec import Struct

from actors.errors import RejectedError, RetriableError
from actors.events import Auth
from actors.keys import channel_key
from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import Api, DeniedError, RefusedError, without
from connectors.contract.connector import Connector
from services.arrivals.arrivals import Arrivals
from services.channels.binding_checks import secrets_of
from services.channels.bindings import Bindings
from services.channels.secrets import Sealed, SecretsError, Vault
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.masking import mask_text
from services.people.permissions import Caller, demand
from storage.records import BoundChannel
from streams.coordination.rate_limits import Limit, RateLimits

LIFE_MS = 600_000
EXCHANGE_S = 60.0
LONGEST_STATE = 4_096
ONCE = Limit(name="authorisation", most=1, window_ms=LIFE_MS)
PLACE = {"platform": "authorisation", "account": "state"}
"""What a state is sealed for, in place of a channel: no platform is called so."""
_log = structlog.get_logger(__name__)


class Apis(Protocol):
    """The way to each connector's platform; `services.channels.platform_api.Apis` fits."""

    def of(self, connector: Connector) -> Api:
        """The way of one channel."""
        ...


class Authorised(Struct, frozen=True, kw_only=True):
    """A channel that was authorised; `lacking`: permissions that it needs and was not given."""

    platform: str
    account: str
    lacking: list[str]


class OAuthRuns:
    """Begins and ends runs; any process can end what another began."""

    def __init__(
        self,
        *,
        bindings: Bindings,
        vault: Vault,
        apis: Apis,
        limits: RateLimits,
        arrivals: Arrivals,
        now: Callable[[], int],
    ) -> None:
        """`now`: the time in ms."""
        self._bindings = bindings
        self._vault = vault
        self._apis = apis
        self._limits = limits
        self._arrivals = arrivals
        self._now = now

    async def start(self, caller: Caller, platform: str, account: str, redirect: str) -> str:
        """The address at the platform to send the caller's browser to; nothing is changed yet.

        `redirect`: where the platform sends it back to. Raises ForbiddenError, NotFoundError when the channel is not
        bound, RejectedError when its platform is not authorised in a browser or a setting that it takes is missing.
        """
        _demand_session(caller)
        row, connector = await self._current(platform, account)
        if connector.oauth is None:
            raise RejectedError(
                f"{platform} is not authorised in a browser; give its settings with `weir channel add` or on the"
                " settings page"
            )
        verifier = secrets.token_urlsafe(32) if connector.oauth.pkce == "S256" else ""
        now = self._now()
        values = {
            "platform": platform,
            "account": account,
            "session": caller.credential,
            "redirect": redirect,
            "verifier": verifier,
            "changed": str(row.changed_at),
            "until": str(now + LIFE_MS),
        }
        sealed = await asyncio.to_thread(self._vault.seal, values, **PLACE)
        ask = Ask(at=now, state=_written(sealed), redirect=redirect, challenge=_challenge(verifier))
        try:
            return connector.authorise_url(ask)
        except RefusedError as wrong:
            raise RejectedError(str(wrong)) from wrong

    async def finish(self, caller: Caller, query: Mapping[str, str]) -> Authorised:
        """Exchange what the platform's redirect brought, and keep what is granted.

        Raises ForbiddenError, RejectedError when the run is over, is another session's or was used already, or the
        person or the platform said no, ConflictError when the channel was changed meanwhile, NotFoundError when it is
        bound no more, RetriableError when the platform or the store cannot be reached: then a new run is needed.
        """
        _demand_session(caller)
        run = await self._run(caller, query.get("state", ""))
        platform, account = run["platform"], run["account"]
        row, connector = await self._current(platform, account)
        if str(row.changed_at) != run["changed"]:
            raise ConflictError("the channel was changed since; look at it, then authorise it again")
        if await self._limits.take((ONCE, hashlib.sha256(query["state"].encode()).hexdigest())):
            raise RejectedError("this authorisation was used already; authorise the channel again")
        reply = Reply(query=dict(query), redirect=run["redirect"], verifier=run["verifier"])
        grant = await self._grant(connector, reply)
        bound = await self._bindings.granted(caller.name, connector, grant, "channel.authorised")
        auth = Auth(platform=platform, account=account, status="ok", expires_at=bound.expires_at)
        try:
            await self._arrivals.take(connector, [auth])
        except RetriableError as busy:
            # The channel is authorised; the next look at it tells so again.
            _log.warning("authorisation not told yet", channel=channel_key(platform, account), reason=str(busy))
        wanted = connector.oauth.scopes if connector.oauth else ()
        lacking = [] if bound.scopes is None else [scope for scope in wanted if scope not in bound.scopes]
        return Authorised(platform=platform, account=account, lacking=lacking)

    async def _run(self, caller: Caller, state: str) -> dict[str, str]:
        """What belongs to a run. Raises RejectedError."""
        try:
            run = await asyncio.to_thread(self._vault.open, _read(state), **PLACE)
        except SecretsError:
            raise RejectedError("this authorisation was not begun here; begin it on the channels' page") from None
        if not hmac.compare_digest(run["session"].encode(), caller.credential.encode()):
            raise RejectedError("this authorisation was begun in another session; begin it again on the channels' page")
        if self._now() >= int(run["until"]):
            raise RejectedError("this authorisation took longer than ten minutes; begin it again on the channels' page")
        return run

    async def _grant(self, connector: Connector, reply: Reply) -> Grant:
        """What the platform grants; no error tells what the browser brought."""
        secret = [*secrets_of(connector), *reply.query.values(), reply.verifier]
        try:
            async with asyncio.timeout(EXCHANGE_S):
                return await connector.exchange(reply, self._apis.of(connector))
        except (DeniedError, RefusedError) as wrong:
            reason = mask_text(without(secret, str(wrong)))
            raise RejectedError(f"{connector.platform} did not authorise the channel: {reason}") from None
        except (RetriableError, TimeoutError) as wrong:
            reason = mask_text(without(secret, str(wrong))) or "no answer in time"
            raise RetriableError(f"{connector.platform} gave nothing, authorise the channel again: {reason}") from None

    async def _current(self, platform: str, account: str) -> tuple[BoundChannel, Connector]:
        found = await self._bindings.current(platform, account)
        if found is None:
            raise NotFoundError(f"no channel {channel_key(platform, account)!r} is bound; bind it, then authorise it")
        return found


def _demand_session(caller: Caller) -> None:
    demand(caller, "manage_channels")
    if caller.via != "session" or not caller.credential:
        raise ForbiddenError("a channel is authorised in the browser of somebody who is logged in, not with a token")


def _challenge(verifier: str) -> str:
    """RFC 7636 (4.2), S256."""
    if not verifier:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _written(sealed: Sealed) -> str:
    return f"{sealed.key}.{base64.urlsafe_b64encode(sealed.data).rstrip(b'=').decode()}"


def _read(state: str) -> Sealed:
    """Raises SecretsError when nobody here can have written it."""
    key, dot, text = state.partition(".")
    if not dot or len(state) > LONGEST_STATE:
        raise SecretsError("this is no state of ours")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SecretsError("this is no state of ours") from None
    return Sealed(data, key)


__all__ = ["Apis", "Authorised", "OAuthRuns"]
