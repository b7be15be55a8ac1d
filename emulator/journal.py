"""Keeps what the platforms hold over a restart: a line of JSON for whatever is new or other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from actors.errors import ConfigurationError
from emulator.clock import Clock
from emulator.world import Buyer, Conversation, Message, Order, Shop, Thing, Token, World

KEPT_MS = 3 * 24 * 3_600_000
NAME = "emulator.jsonl"


class Standing(Struct, kw_only=True):
    """How a shop is connected."""

    shop: str
    token: Token
    webhook: str | None
    pushing: bool


class Line(Struct, kw_only=True, omit_defaults=True):
    """One line. `buyer`: of the message's conversation."""

    message: Message | None = None
    buyer: Buyer | None = None
    order: Order | None = None
    standing: Standing | None = None


class Journal:
    """The file, opened for what is to come after it was read; what is older than three days is left out."""

    def __init__(self, folder: Path, world: World, clock: Clock) -> None:
        self._path = folder / NAME
        self._world = world
        self._clock = clock
        self._file: BinaryIO | None = None
        self._encode = msgspec.json.Encoder().encode

    def open(self) -> None:
        """Read what was kept into the world, then keep what comes. Raises ConfigurationError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kept = list(self._lines())
            fresh = self._path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(b"".join(self._encode(line) + b"\n" for line in kept))
            fresh.replace(self._path)
            self._file = self._path.open("ab")
        except OSError as wrong:
            raise ConfigurationError(f"{self._path}: {wrong.strerror}; choose another folder") from wrong
        for line in kept:
            self._restore(line)
        self._world.changed.append(self._keep)

    def close(self) -> None:
        """Keep no more."""
        if self._file is not None:
            self._world.changed.remove(self._keep)
            self._file.close()
            self._file = None

    def _keep(self, thing: Thing) -> None:
        assert self._file is not None  # noqa: S101 # told only while it is open
        if isinstance(thing, Order):
            line = Line(order=thing)
        elif isinstance(thing, Shop):
            told = Standing(shop=thing.key, token=thing.token, webhook=thing.webhook, pushing=thing.pushing)
            line = Line(standing=told)
        else:
            conversation = self._world.shops[thing.shop].conversations[thing.conversation]
            line = Line(message=thing, buyer=conversation.buyer)
        self._file.write(self._encode(line) + b"\n")
        self._file.flush()

    def _lines(self) -> Iterator[Line]:
        """The last line of each thing that is not too old, in the order of their first ones."""
        if not self._path.exists():
            return iter(())
        latest: dict[tuple[str, ...], Line] = {}
        oldest = self._clock.now() - KEPT_MS
        for raw in self._path.read_bytes().splitlines():
            try:
                line = msgspec.json.decode(raw, type=Line)
            except msgspec.DecodeError:
                continue  # cut off by the end of the process that wrote it
            if line.standing is not None:
                latest["standing", line.standing.shop] = line
                continue
            thing = line.message or line.order
            if thing is None or thing.changed_at < oldest:
                continue
            where = (thing.shop, thing.conversation, thing.id) if isinstance(thing, Message) else (thing.shop, thing.id)
            latest[where] = line
        return iter(latest.values())

    def _restore(self, line: Line) -> None:
        if line.standing is not None and (shop := self._world.shops.get(line.standing.shop)):
            told = line.standing
            shop.token, shop.webhook, shop.pushing = told.token, told.webhook, told.pushing
        if line.order is not None and (shop := self._world.shops.get(line.order.shop)):
            shop.orders.append(line.order)
        message = line.message
        if message is None or message.status == "erased":
            return
        if line.buyer is not None and (shop := self._world.shops.get(message.shop)):
            own = Conversation(id=message.conversation, shop=shop.key, buyer=line.buyer)
            shop.conversations.setdefault(message.conversation, own)
            self._world.put(message)
