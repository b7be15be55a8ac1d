"""Asking a platform once how a channel stands, for people who look at it now: nothing is kept and nobody is told."""

from __future__ import annotations

import asyncio
from typing import Literal

from msgspec import Struct, field

from actors.errors import PermanentError, RetriableError
from connectors.contract.calling import Api, DeniedError, without
from connectors.contract.connector import Connector
from services.channels.binding_checks import secrets_of
from services.masking import mask_text

ASK_S = 60.0


class Probed(Struct, frozen=True, kw_only=True):
    """What came of it. `expires_at` in ms.

    `state`: ok; `denied`: the authorisation is gone; `unasked`: the platform could not be asked, or not with these
    settings; `unknown`: this platform has nothing to ask. `reason` says why.
    """

    state: Literal["ok", "denied", "unasked", "unknown"]
    subscription: Literal["active", "disabled", "unknown"] = "unknown"
    lacking: list[str] = field(default_factory=list[str])
    expires_at: int | None = None
    reason: str = ""


async def probed(connector: Connector, api: Api) -> Probed:
    """How the channel stands at its platform; raises nothing that the platform or the way to it cause."""
    if type(connector).probe is Connector.probe:
        return Probed(state="unknown", reason=f"{connector.platform} cannot be asked how a channel stands")
    secret = secrets_of(connector)
    try:
        async with asyncio.timeout(ASK_S):
            found = await connector.probe(api)
    except DeniedError as wrong:
        return Probed(state="denied", reason=mask_text(without(secret, str(wrong))))
    except (RetriableError, PermanentError) as wrong:
        return Probed(state="unasked", reason=mask_text(without(secret, str(wrong))))
    except TimeoutError:
        return Probed(state="unasked", reason=f"the platform did not answer within {ASK_S:g} s")
    return Probed(
        state="denied" if found.auth in ("expired", "revoked") else "ok",
        subscription=found.subscription,
        lacking=list(found.lacking),
        expires_at=found.expires_at,
        reason=mask_text(without(secret, found.detail)),
    )


__all__ = ["Probed", "probed"]
