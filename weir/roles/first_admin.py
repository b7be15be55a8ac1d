"""The first person of a deployment, made once however many web processes start at the same moment."""

import asyncio
from contextlib import suppress

from services.people.accounts import Accounts
from streams.coordination.errors import CoordinationLostError
from streams.coordination.locks import Lease, Locks

TTL_S = 15.0
AGAIN_S = 0.2


async def first_admin(accounts: Accounts, locks: Locks) -> str | None:
    """The first admin's password, when this call has made the first admin; None when there are people already.

    Without the locks two processes that start together on an empty database might both make one: the later one's
    password holds then, and `weir user passwd` mends it.
    """
    while not await accounts.users():
        lease: Lease | None = None
        try:
            lease = await locks.acquire("first-admin", TTL_S)
        except CoordinationLostError:
            return await accounts.ensure_admin()
        if lease is not None:
            try:
                return await accounts.ensure_admin()
            finally:
                with suppress(CoordinationLostError):
                    await locks.release(lease)
        await asyncio.sleep(AGAIN_S)
    return None
