"""Passwords: argon2id hashes, made and checked in a thread, at most two at a time (each takes 64 MiB)."""

import asyncio
import secrets
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from actors.errors import RejectedError

Result = TypeVar("Result")
LEAST_LENGTH = 10
MOST_LENGTH = 1024
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Passwords:
    """Makes and checks hashes; a lighter `hasher` may be given where speed matters more than strength."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(2)
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """The encoded hash; raises RejectedError for a password too short or too long."""
        if not LEAST_LENGTH <= len(password) <= MOST_LENGTH:
            raise RejectedError(f"a password has {LEAST_LENGTH} to {MOST_LENGTH} characters; choose another")
        return await self._in_thread(self._hasher.hash, password)

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Whether the password is the one of that hash; takes as long for None (no such user)."""
        if encoded is None:
            self._dummy = self._dummy or await self._in_thread(self._hasher.hash, secrets.token_urlsafe())
        right = await self._in_thread(self._verify, encoded or self._dummy or "", password[:MOST_LENGTH])
        return right and encoded is not None

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with weaker settings than today's."""
        return self._hasher.check_needs_rehash(encoded)

    def _verify(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, call: Callable[..., Result], *args: str) -> Result:
        async with self._slots:
            return await asyncio.to_thread(call, *args)


def random_password() -> str:
    """Twenty random characters without look-alikes (about 115 bits), in groups of five."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(groups)
