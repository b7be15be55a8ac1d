"""`weir serve` on services: a worker and a web in one process, beside others of either kind if there are any."""

from __future__ import annotations

from fastapi import FastAPI

from weir.parts.opened import Parts
from weir.roles.web import Web
from weir.roles.worker import Worker


class Both:
    """A worker and a web that share their parts."""

    def __init__(self, parts: Parts) -> None:
        self.worker = Worker(parts, role="serve")
        self.front = Web(parts, role="serve")
        self.config, self.store, self.gateway = parts.config, parts.store, parts.gateway
        self.runtime, self.thresholds = self.worker.runtime, self.front.thresholds
        self.accounts, self.tokens = self.front.accounts, self.front.tokens
        self.services, self.monitor = self.front.services, self.front.monitor
        self.vitals = self.front.vitals
        self.vitals.add(self.worker.readings)

    @property
    def first_password(self) -> str | None:
        """The password of the first admin, when this was the very first start; to be shown once."""
        return self.front.first_password

    def web(self) -> FastAPI:
        """The HTTP side with the screens; call it once."""
        return self.front.web()

    async def start(self) -> None:
        """Begin to process and to answer; returns when the engines are loaded."""
        await self.worker.start()
        await self.front.start()

    async def stop(self) -> None:
        """No new requests, what is accepted becomes durable, what is applied is saved."""
        await self.front.stop()
        await self.worker.stop()
