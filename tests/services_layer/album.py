"""Files of all kinds, good and hostile, and a platform of the tests that has them."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from http import HTTPStatus

from PIL import Image

from actors.events import Attachment, Message, Sender
from connectors.contract.history import Pace
from tests.services_layer.bazaar import Bazaar, TownGateway
from tests.services_layer.http_server import answer


def picture(kind="PNG", size=(40, 20), **options):
    """The bytes of a picture that nobody else has."""
    out = io.BytesIO()
    shade = sum(size) % 256
    Image.new("RGB", size, (shade, 30, 90)).save(out, kind, **options)
    return out.getvalue()


def noise(kind, size):
    """A picture that cannot be compressed."""
    out = io.BytesIO()
    Image.effect_noise(size, 100).convert("RGB").save(out, kind)
    return out.getvalue()


def bomb(side=60_000):
    """A PNG of a few bytes that claims to be gigabytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100_000))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PAGE = b"<!doctype html><script>alert(1)</script>"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FILM = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41" + bytes(range(256)) * 40
OGG = b"OggS" + bytes(200)


class Album(Bazaar):
    """Messages with files; `says` makes one. Its files are where the address says."""

    platform = "album"
    pace = Pace(requests=1_000)

    def says(self, number, sent_at, files, **fields):
        told = {
            "platform": self.platform,
            "account": self.binding.account,
            "conversation": "c1",
            "message": f"m{number}",
            "sent_at": sent_at,
            "direction": "in",
            "sender": Sender(id="u1", role="customer"),
            "text": "see the pictures",
            "lang": "en",
            "attachments": files,
        }
        return Message(**(told | fields))


class OneByOne(TownGateway):
    """A town is told one thing at a time."""

    def __init__(self, town):
        super().__init__(town)
        self._gate = asyncio.Lock()

    async def submit(self, entries):
        async with self._gate:
            await super().submit(entries)


class Shelf:
    """What a server holds by path: bytes, or a status; `asked` counts."""

    def __init__(self):
        self.files = {}
        self.asked = []

    async def __call__(self, asked, writer):
        self.asked.append(asked.target)
        found = self.files.get(asked.target, 404)
        if found == "broken off":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\nonly this")
            writer.close()
        elif isinstance(found, int):
            writer.write(answer(found, HTTPStatus(found).phrase.encode()))
        else:
            writer.write(answer(200, found, content_type="text/html"))


def announced(url, name, *, kind="image", **fields):
    return Attachment(id=name, kind=kind, url=f"{url}/{name}", **fields)
