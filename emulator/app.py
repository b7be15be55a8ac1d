"""One emulator: made from a seed, opened, answering and pushing until it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import httpx
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actors.errors import ConfigurationError
from emulator.acquaintances import acquaint
from emulator.answering import Answering
from emulator.clock import Clock
from emulator.faults import Fault
from emulator.journal import Journal
from emulator.life import Life
from emulator.panel import Panel
from emulator.platforms.contract import Platform, routes_of
from emulator.platforms.registry import PLATFORMS
from emulator.stage import Stage

BUYERS = 12
LONGEST_PAUSE_S = 1.0
LONGEST_S = 120.0
"""No platform waits longer; each has its own time limit."""
MOST_SHOPS = 1_000


class Plan(Struct, frozen=True, kw_only=True):
    """What is emulated. `shops`: how many at each of `platforms`; `rate`: messages a minute and shop.

    `shared_apps`: all shops of a platform are connected by one app, and their webhooks go to one address, where the
    platform has that. `introduced`: who is known to several platforms orders and writes soon. `folder`: where what the
    platforms hold is kept over a restart; None: nowhere.
    """

    seed: int = 1
    shops: int = 1
    platforms: Sequence[str] = ()
    rate: float = 0.0
    faults: Sequence[Fault] = ()
    shared_apps: bool = False
    introduced: bool = False
    folder: Path | None = None


class Emulator:
    """The platforms, their API, their panel. `app` answers HTTP; `run` lets things happen."""

    def __init__(self, plan: Plan, clock: Clock | None = None) -> None:
        """Raises ConfigurationError or RejectedError."""
        self.plan = plan
        self.clock = clock or Clock()
        self.stage = Stage(self.clock, plan.seed)
        self.answering = Answering(self.stage)
        _peopled(self.stage, plan)
        self.stage.faults.replace(plan.faults)
        self.life = Life(self.stage, plan.rate)
        self.panel = Panel(self.stage, self.answering, self.life)
        self.journal = Journal(plan.folder, self.stage.world, self.clock) if plan.folder else None
        platforms = self.stage.platforms.values()
        routes = [route for platform in platforms for route in routes_of(platform, self.answering.serve)]
        media = Route("/media/{key}", self._media, methods=["GET"])
        self.app = Starlette(routes=[*self.panel.routes(), media, *routes])
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def opened(self, base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Emulator]:
        """Ready to push, and to be asked at `base_url`. Raises ConfigurationError."""
        self.stage.base_url = base_url.rstrip("/")
        if self.journal is not None:
            self.journal.open()
            self._redraw()
        for waits in (self.stage.agenda, self.stage.pusher):
            waits.wake = self._wake.set
        self.clock.moved.append(self._wake.set)
        async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=LONGEST_S) as client:
            self.stage.pusher.client = client
            try:
                yield self
            finally:
                self.answering.closing.set()
                await self.stage.pusher.stop()
                if self.journal is not None:
                    self.journal.close()

    async def run(self) -> None:
        """Let buyers write and webhooks go out, until it is cancelled."""
        self.life.begin()
        if self.plan.introduced:
            self.life.introduce()
        while True:
            self._wake.clear()
            self.stage.agenda.do()
            self.stage.pusher.start_due()
            dues = [due for due in (self.stage.agenda.next_due, self.stage.pusher.next_due) if due is not None]
            pause = (min(dues) - self.clock.now()) / 1000 if dues else LONGEST_PAUSE_S
            if pause > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), min(pause, LONGEST_PAUSE_S))
            else:
                await asyncio.sleep(0)

    async def settle(self) -> None:
        """Do all that is due now, and return when it is done."""
        while True:
            done = self.stage.agenda.do()
            tasks = self.stage.pusher.start_due()
            if not done and not tasks:
                return
            await asyncio.gather(*tasks)

    def _redraw(self) -> None:
        """Pictures of what was kept: they are made of their keys."""
        for platform, shop in self.stage.shops():
            for message in shop.messages():
                if message.media is not None and message.media not in self.stage.world.media:
                    self.stage.owners[message.media] = shop.platform, shop.account
                    self.stage.draw(message.media, platform.mime)

    async def _media(self, request: Request) -> Response:
        """A file of the content network: anybody may fetch it who knows its address."""
        return self.stage.file(request.path_params["key"].partition(".")[0])


def _peopled(stage: Stage, plan: Plan) -> None:
    """Shops and buyers, the same for the same seed whatever else is emulated, but for who knows whom."""
    if not 1 <= plan.shops <= MOST_SHOPS:
        raise ConfigurationError(f"shops: from 1 to {MOST_SHOPS} at each platform, not {plan.shops}")
    for kind in _wanted(plan.platforms):
        platform = kind(stage)
        stage.platforms[kind.name] = platform
        for number in range(1, plan.shops + 1):
            rng = Random(f"{plan.seed} {kind.name} {number}")  # noqa: S311 # the same seed gives the same world
            shop = platform.open(number, rng)
            shop.buyers = [platform.buyer(shop, index, rng) for index in range(BUYERS)]
            if plan.shared_apps and (first := next(iter(stage.world.of(kind.name)), None)):
                shop.ids.update({name: first.ids[name] for name in kind.app_ids})
            stage.world.add(shop)
    acquaint(stage.world)


def _wanted(names: Iterable[str]) -> list[type[Platform]]:
    known = {kind.name: kind for kind in PLATFORMS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigurationError(f"platforms: {', '.join(unknown)} is not emulated; there are {', '.join(known)}")
    return [known[name] for name in names] or list(PLATFORMS)
