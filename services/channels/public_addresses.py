"""Which addresses of the outside may be asked for files: public ones only, whatever name they hide behind.

A message may carry any address; one within our own network would let a customer read what only we may (server-side
request forgery). Names are resolved once and the connection goes to what was looked at.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from connectors.contract.calling import RefusedError, UnreachableError

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them (RFC 6052)."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as the system knows them. Raises UnreachableError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as wrong:
        raise UnreachableError(f"the host {host[:100]!r} has no address; is it spelt well, does the DNS answer?") from (
            wrong
        )
    return [str(one[4][0]) for one in found]


async def public_address(host: str, port: int, resolve: Resolve = resolved) -> str:
    """One address of the host. Raises RefusedError when any of them is not public, UnreachableError without any."""
    addresses = await resolve(host, port)
    if not addresses:
        raise UnreachableError(f"the host {host[:100]!r} has no address")
    if not all(is_public(address) for address in addresses):
        raise RefusedError(
            f"files of {host[:100]!r} are not fetched: it leads into a private network", "private_address"
        )
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet; an IPv4 address within an IPv6 one is judged as itself."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(address) if isinstance(address, IPv6Address) else None
    return _is_public(address) and (inner is None or _is_public(inner))


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _TRANSLATED):
        return True  # the one within decides
    return address.is_global and not address.is_multicast and not address.is_reserved


__all__ = ["Resolve", "is_public", "public_address", "resolved"]
