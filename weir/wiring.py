"""The composition root: gives a process of a role, made of the parts that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, assert_never

from starlette.types import ASGIApp

from weir.config import Config, check_clustered
from weir.parts.opened import Parts, opened_parts
from weir.roles.alone import Alone
from weir.vitals import Vitals

if TYPE_CHECKING:  # a process pays for its own role only
    from weir.roles.both import Both
    from weir.roles.connect import Connect
    from weir.roles.web import Web
    from weir.roles.worker import Worker

RoleName: TypeAlias = Literal["serve", "worker", "web", "connect"]
Weir = Alone


class Role(Protocol):
    """A process at work, as `weir.process` sees it."""

    vitals: Vitals

    @property
    def first_password(self) -> str | None:
        """The password of the first admin, when this process has just made the first admin."""
        ...

    def web(self) -> ASGIApp:
        """What answers HTTP; to be called once."""
        ...

    async def start(self) -> None:
        """Begin to work; returns when it does."""
        ...

    async def stop(self) -> None:
        """Bring to an end what was begun."""
        ...


def made(parts: Parts, role: RoleName = "serve") -> Alone | Both | Worker | Web | Connect:
    """A process of that role."""
    match role:
        case "serve" if not parts.config.clustered:
            return Alone(parts)
        case "serve":
            from weir.roles.both import Both  # noqa: PLC0415 # a process pays for its own role only

            return Both(parts)
        case "worker":
            from weir.roles.worker import Worker  # noqa: PLC0415 # as above

            return Worker(parts)
        case "web":
            from weir.roles.web import Web  # noqa: PLC0415 # as above

            return Web(parts)
        case "connect":
            from weir.roles.connect import Connect  # noqa: PLC0415 # as above

            return Connect(parts)
        case _:
            assert_never(role)


@asynccontextmanager
async def opened_role(config: Config, role: RoleName) -> AsyncIterator[Alone | Both | Worker | Web | Connect]:
    """A process of that role, its parts open, not started. Raises ConfigurationError or StoreDamagedError."""
    if role != "serve":
        check_clustered(config, role)
    async with opened_parts(config) as parts:
        yield made(parts, role)


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Alone]:
    """The whole product in this process, its files open. Raises ConfigurationError or StoreDamagedError."""
    async with opened_parts(config) as parts:
        yield Alone(parts)


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Alone]:
    """The same, at work."""
    async with opened(config) as weir:
        await weir.start()
        try:
            yield weir
        finally:
            await weir.stop()


__all__ = ["Role", "RoleName", "Weir", "made", "opened", "opened_role", "running"]
