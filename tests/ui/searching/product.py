"""The whole product for browser tests of the search: real parts, messages of three years, hostile ones among them.

Run as a program: `product.py PORT FOLDER`. Log in as `Ada Lin` (admin), `Vic Ho` (viewer); the password is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.effects import HopReached  # needs the line above
from actors.orders import Order
from storage.records import ChannelRow
from tests.storage.flushes import Flushes, customer, stored
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

HOSTILE = '<img src=x onerror="window.hurt=1"> refund & "Bo"'
JAPANESE = "😀 注文番号12-3456のキャンセル"
DAY_MS = 86_400_000
NOON = 1_790_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2
"""Messages stand in the middle of a day, whatever zone the browser is in."""


def messages():
    """The newest first."""
    yield stored("h1", "hostile", at=NOON, text=HOSTILE, sender=customer(HOSTILE, "u-h"), platform="line")
    yield stored(
        "j1", "sakura", at=NOON - DAY_MS, text="😀 注文番号12-3456のキャンセル", sender=customer("さくら", "u-j")
    )
    yield stored("o1", "sakura", at=NOON - DAY_MS + 1000, text="Your refund 退款 is on its way", direction="out")
    yield stored("e1", "edited", at=NOON - 2 * DAY_MS, text="the first words", sender=customer("Eve", "u-e"))
    yield stored("s1", "shanghai", at=NOON - 730 * DAY_MS, text="我家在上海东边。", sender=customer("Lin Shan", "u-l"),
                 order="ORD-2024-9")  # fmt: skip
    for number in range(130):
        at = NOON - (10 + number) * DAY_MS
        yield stored(f"p{number}", f"many{number % 9}", at=at, text=f"parcel number {number}")


def channels():
    """What the filters offer."""
    for platform in ("line", "shopee"):
        yield ChannelRow(key=f"{platform}/shop", platform=platform, account="shop", first_at=NOON, last_at=NOON)


async def main(port, folder):
    async with running(Config(data_dir=str(folder), partitions=2)) as weir:
        await weir.accounts.add("Ada Lin", "admin", PASSWORD, who="admin")
        await weir.accounts.add("Vic Ho", "viewer", PASSWORD, who="admin")
        save = Flushes(weir.store)
        await save(*messages(), partition=7, channel_rows=list(channels()))
        await save(HopReached("shopee/shop/edited", "e1", "edited", NOON, "other words"), partition=7)
        await weir.store.put_orders(
            [Order(platform="shopee", account="shop", id="1", number="#5001", created_at=1, updated_at=1, name="Lin")]
        )
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
