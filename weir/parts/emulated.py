"""Binds the shops of a platform emulator: their credentials to the connectors, and Weir's webhooks to the emulator."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

import httpx
import msgspec
import structlog
from msgspec import Struct

from actors.errors import RetriableError, WeirError
from connectors.contract.connector import Connector
from connectors.registry import BY_PLATFORM
from services.people.permissions import Caller
from storage.records import BoundChannel

OWN_WORD = "webhook_key"
"""The setting of a connector that proves its webhooks by a word of our own in their address, as `?key=`."""
BY_MAIL = frozenset({"amazon"})
"""Platforms whose messages come by a mailbox, which nobody emulates."""
TIMEOUT_S = 15.0
_log = structlog.get_logger(__name__)


class EmulatedShop(Struct, frozen=True, kw_only=True):
    """One line of the emulator's `GET /_emulator/bindings`."""

    platform: str
    account: str
    settings: dict[str, str]
    api_url: str
    auth_url: str
    webhook: str | None = None
    pushes: bool = True

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"EmulatedShop({self.platform}/{self.account})"


class Binds(Protocol):
    """Who binds channels."""

    async def bind(
        self, caller: Caller, platform: str, account: str, url: str, settings: Mapping[str, str]
    ) -> BoundChannel:
        """Bind a channel, or change its binding."""
        ...


async def bind_emulated(
    bindings: Binds,
    caller: Caller,
    *,
    emulator: str,
    weir: str,
    connectors: Mapping[str, type[Connector]] = BY_PLATFORM,
    transport: httpx.AsyncBaseTransport | None = None,
) -> list[str]:
    """Bind every shop of the emulator at the address `emulator` in the Weir at the address `weir`; those bound.

    A shop whose platform has no connector, or whose connector wants something else, is left out, and the log says so.
    Raises RetriableError when the emulator does not answer.
    """
    bound: list[str] = []
    async with httpx.AsyncClient(base_url=emulator, transport=transport, trust_env=False, timeout=TIMEOUT_S) as client:
        for shop in await _shops(client):
            kind = connectors.get(shop.platform)
            name = f"{shop.platform}/{shop.account}"
            if kind is None:
                _log.info("emulated shop has no connector", channel=name)
                continue
            if shop.platform in BY_MAIL:
                _log.info("emulated shop is left out: its messages are mails", channel=name)
                continue
            url, settings = binding_of(shop, kind, weir)
            try:
                await bindings.bind(caller, shop.platform, shop.account, url, settings)
            except WeirError as wrong:
                _log.warning("emulated shop is not bound", channel=name, reason=str(wrong))
                continue
            if shop.pushes and shop.webhook != url:
                await _register(client, name, url)
            bound.append(name)
    return bound


def binding_of(shop: EmulatedShop, kind: type[Connector], weir: str) -> tuple[str, dict[str, str]]:
    """(webhook address, settings) of a shop: what its connector knows of what the emulator tells."""
    word = hashlib.sha256(f"{shop.platform} {shop.account} webhook".encode()).hexdigest()
    told = {**shop.settings, "api_url": shop.api_url, "auth_url": shop.auth_url, OWN_WORD: word}
    names = {setting.name for setting in kind.settings}
    settings = {name: value for name, value in told.items() if name in names and value}
    url = f"{weir.rstrip('/')}/webhooks/{shop.platform}/{quote(shop.account, safe='')}"
    return (f"{url}?key={word}" if OWN_WORD in names else url), settings


async def _shops(client: httpx.AsyncClient) -> list[EmulatedShop]:
    try:
        answer = (await client.get("/_emulator/bindings")).raise_for_status()
        return msgspec.json.decode(answer.content, type=list[EmulatedShop])
    except (httpx.HTTPError, msgspec.DecodeError) as wrong:
        raise RetriableError(f"the emulator at {client.base_url} does not tell its shops: {wrong}") from wrong


async def _register(client: httpx.AsyncClient, name: str, url: str) -> None:
    """Have a shop's webhooks sent to the address; the emulator asks it first whatever the platform asks."""
    try:
        answer = await client.put("/_emulator/webhooks", json={"shop": name, "url": url})
    except httpx.HTTPError as wrong:
        raise RetriableError(f"the emulator at {client.base_url} does not answer: {type(wrong).__name__}") from wrong
    told = answer.json()
    if answer.is_error or told.get("proved") is False:
        reason = told.get("error") or "the platform's question got another answer than it wants"
        _log.warning("emulated webhook is not registered", channel=name, reason=reason)
