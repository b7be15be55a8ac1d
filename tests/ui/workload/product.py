"""The whole product for browser tests of workload and SLA: two teams, clocks that run and clocks that ended.

Run as a program: `product.py PORT FOLDER`. `Ada Lin` is admin; `Sam Wu` supervises `Asia` (Shopee and Lazada),
`Eva Roth` `Europe` (eBay in Britain); Telegram is nobody's. The password of each is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.events import Message, Sender  # needs the line above
from services.inbox.teams import TeamWish
from services.people.permissions import Caller
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

HOSTILE = '<img src=x onerror="window.hurt=1">'
PEOPLE = (
    ("Ada Lin", "admin"), ("Sam Wu", "supervisor"), ("Eva Roth", "supervisor"), ("Ann Ho", "agent"),
    ("Ben Okafor", "agent"), (HOSTILE, "agent"), ("Vic Ho", "viewer"),
)  # fmt: skip
ADA = Caller(name="Ada Lin", role="admin", via="session")
TEAMS = (
    TeamWish(name="Asia", members=["Sam Wu", "Ann Ho", HOSTILE], channels=["shopee/*", "lazada/*"]),
    TeamWish(name="Europe", members=["Eva Roth", "Ben Okafor"], channels=["ebay/uk"]),
)
PLACES = (("shopee", "sg-1"), ("lazada", "my"), ("ebay", "uk"), ("telegram", "bot"))
MINUTE_MS = 60_000
OPEN = 48
"""Conversations; the customer of every fourth has his answer."""


def key_of(number):
    platform, account = PLACES[number % len(PLACES)]
    return f"{platform}/{account}/c{number}"


def said(number, message, at, direction="in"):
    platform, account = PLACES[number % len(PLACES)]
    role = "customer" if direction == "in" else "agent"
    return Message(
        platform=platform, account=account, conversation=f"c{number}", message=f"m{number}-{message}", at=at,
        sent_at=at, direction=direction, sender=Sender(id=f"{role}{number}", role=role, name=f"{role} {number}"),
        text="Where is my parcel?" if direction == "in" else "On its way.", lang="en",
    )  # fmt: skip


def waited(number):
    """Minutes: no clock comes to its warning (after 48) or its end (after 60) while the tests run."""
    return (5 + number % 30, 5 + number % 30, 5 + number % 30, 50, 70 + number)[number % 5]


def events(now):
    """Exchanges of today and of three days ago, some answered late; then what waits, more than an hour some of it."""
    for number in range(OPEN):
        past = now - (7 + number % 5) * 60 * MINUTE_MS
        took = (4 + number * 7 % 23) if number % 5 else 75
        for days in (0, 3) if number % 2 else (0,):
            start = past - days * 24 * 60 * MINUTE_MS
            yield said(number, f"{days}-asks", start)
            yield said(number, f"{days}-told", start + took * MINUTE_MS, "out")
        waits = now - waited(number) * MINUTE_MS
        yield said(number, "asks", waits)
        if number % 4 == 3:
            yield said(number, "told", waits + 30_000, "out")


async def seed(weir):
    for name, role in PEOPLE:
        await weir.accounts.add(name, role, PASSWORD, who="admin")
    for wish in TEAMS:
        await weir.services.teams.add(ADA, wish)
    now = weir.gateway.now()
    await weir.gateway.submit(sorted(events(now), key=lambda event: event.at))
    await weir.runtime.settled()
    for number in range(OPEN):
        members = {"shopee": ("Ann Ho", HOSTILE), "lazada": ("Sam Wu", "Ann Ho"), "ebay": ("Ben Okafor", "Eva Roth")}
        people = members.get(PLACES[number % len(PLACES)][0], ("Ada Lin", None))
        name = (*people, None)[number // 4 % 3]
        if name is not None:
            await weir.services.desk.assign(ADA, key_of(number), assignee=name)
    await weir.services.desk.snooze(ADA, key_of(8), now + 60 * MINUTE_MS)
    await weir.services.desk.close(ADA, key_of(9))
    await weir.runtime.settled()


async def main(port, folder):
    config = Config(data_dir=str(folder), partitions=2)
    async with running(config) as weir:
        await seed(weir)
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
