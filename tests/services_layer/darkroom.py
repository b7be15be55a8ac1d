"""A Weir that fetches the files of one channel's messages from a real server; its clock is moved by the test."""

from __future__ import annotations

from contextlib import asynccontextmanager

from actors.events import AttachmentStatus
from connectors.contract.connector import Binding
from services.arrivals.arrivals import Arrivals
from services.files.attachments import Attachments
from services.files.serving import AttachmentFiles
from storage.files import FolderFiles
from tests.services_layer.album import Album, OneByOne, Shelf, announced
from tests.services_layer.bazaar import Town2
from tests.services_layer.http_server import serving

KEY = "album/shop-1/c1"
MOST = 400_000


class Darkroom:
    """Weir with one channel whose platform's files lie on `shelf`."""

    def __init__(self, town, path, shelf, server):
        self.town, self.shelf, self.url = town, shelf, server.url
        self.heard = []
        self.channel = Album(Binding(account="shop-1", url="", settings={"api_url": server.url}))
        town.connectors[("album", "shop-1")] = self.channel
        town.created[("album", "shop-1")] = town.now
        self.files = FolderFiles(path / "files")
        self.work = Attachments(
            store=town.store,
            gateway=OneByOne(town),
            files=self.files,
            find=town.connector,
            apis=town.apis,
            most_bytes=MOST,
        )
        self.work.observe = self.heard.append
        self.arrivals = Arrivals(town.gateway, town.store, files=self.work)
        self.held = AttachmentFiles(town.store, self.files)

    async def hears(self, *files, number=1, **fields):
        await self.arrivals.take(self.channel, [self.channel.says(number, self.town.now, list(files), **fields)])

    async def gets(self, name, content, **fields):
        """The customer sends one file; what is told of it when it was tried as often as it is at first."""
        self.shelf.files[f"/{name}"] = content
        await self.hears(announced(self.url, name, **fields))
        await self.tries()
        return await self.file(name)

    async def tries(self, minutes=0.5):
        for _ in range(round(minutes * 12)):
            while await self.work.step(self.town.now):
                pass
            await self.town.pass_by(5_000)

    async def row(self, message="m1"):
        return await self.town.store.message(KEY, message)

    async def file(self, name, message="m1"):
        return next(one for one in (await self.row(message)).attachments if one["id"] == name)

    async def troubles(self):
        found = [one for one in await self.town.anomalies() if one.kind == "attachment_failed"]
        return {one.evidence["attachment"]: one.status for one in found}

    def told(self):
        return [line for line in self.town.lines if isinstance(line, AttachmentStatus)]


@asynccontextmanager
async def darkroom(path):
    """One at work, with all that belongs to it."""
    town = Town2(path)
    await town.open()
    town.parts()
    shelf = Shelf()
    try:
        async with serving(shelf) as server:
            yield Darkroom(town, path, shelf, server)
            await town.apis.close()
    finally:
        await town.close()
