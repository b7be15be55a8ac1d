"""The whole product for browser tests of the studio and the settings: real parts, seeded people and events.

Run as a program: `product.py PORT FOLDER`. Log in as `Ada Lin` (admin), `Sam Wu` (supervisor), `Vic Ho` or `Lee Park`
(viewers); the password of each is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.events import Attachment, Message, Notification, Receipt, Sender  # needs the line above
from services.tuning.thresholds import Assignment
from storage.channel_records import ReplyRow
from storage.records import Batch, DeadLetter
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

HOSTILE = '<img src=x onerror="window.hurt=1"> & "Bo"'
PEOPLE = (
    ("Ada Lin", "admin"),
    ("Sam Wu", "supervisor"),
    ("Vic Ho", "viewer"),
    ("Lee Park", "viewer"),
    (HOSTILE, "agent"),
)
MINUTE_MS = 60_000


def events(now):
    """Some hours of two channels: most messages are quick, each tenth is slow, some pictures come late."""
    for number in range(600):
        at = now - (600 - number) * MINUTE_MS // 3
        platform, account = (("shopee", "sg-1"), ("amazon", "us/main"))[number % 2]
        late = 45_000 + number * 100 if number % 10 == 0 else 400 + (number * 37) % 3000
        yield Message(
            platform=platform,
            account=account,
            at=at,
            conversation=f"c{number % 40}",
            message=f"m{number}",
            sent_at=at - late,
            direction="out" if number % 7 == 0 else "in",
            sender=Sender(id=f"u{number % 40}", role="agent" if number % 7 == 0 else "customer"),
            text=f"Where is my parcel, number {number}?",
            lang="en",
            attachments=[Attachment(id="a")] if number % 50 == 0 else [],
        )
        fate = {"platform": platform, "account": account, "conversation": f"c{number % 40}", "message": f"m{number}"}
        if number % 7 == 0:
            yield Receipt(at=at + 500 + number * 3, status="delivered", **fate)
        else:
            yield Notification(at=at + 900, medium="desktop", status="fired", **fate)


def replies(now):
    """One that the platform refused, one of which nobody knows."""
    about = {
        "platform": "shopee",
        "account": "sg-1",
        "due_at": 0,
        "idempotency_key": "k",
        "digest": "d",
        "who": "Sam Wu",
    }
    ends = {"failed": ("error_param", f"the platform refused it: {HOSTILE}"), "unknown": ("not_found", "perhaps sent")}
    for number, (state, (code, reason)) in enumerate(ends.items()):
        place = {"key": f"shopee/sg-1/c{number}", "conversation": f"c{number}", "at": now, "settled_at": now}
        text = f"{state} words {HOSTILE}"
        yield ReplyRow(
            id=f"weir-{state}",
            state=state,
            code=code,
            reason=reason,
            text=text,
            told=True,
            attempts=1,
            **place,
            **about,
        )


async def seed(weir):
    for name, role in PEOPLE:
        await weir.accounts.add(name, role, PASSWORD, who="admin")
    now = weir.gateway.now()
    await weir.gateway.submit(sorted(events(now), key=lambda event: event.at))
    await furnish(weir, now)


async def furnish(weir, now):
    """What the settings have to show: thresholds changed, a token, replies and entries that failed."""
    await weir.thresholds.assign([Assignment("delay.threshold_s", 40)], who="Ada Lin", note="first try")
    await weir.thresholds.assign([Assignment("loss.grace_s", 45, "shopee")], who="Ada Lin", note=HOSTILE)
    await weir.tokens.create("order system", "supervisor", who="Ada Lin", days=90)
    for reply in replies(now):
        await weir.store.add_reply(reply)
    mark = await weir.store.mark(9)
    letters = [
        DeadLetter(partition=9, offset=n, index=0, at=now - n * MINUTE_MS, reason=why, raw=raw, channel="shopee/sg-1")
        for n, (why, raw) in enumerate(
            (
                (f"ValueError: {HOSTILE}", b'{"type":"message","text":"call +65 9123 4567","sender":{"name":"Bo"}}'),
                ("the log entry cannot be read: truncated", bytes(range(32)) + HOSTILE.encode()),
            )
        )
    ]
    mark = type(mark)(partition=9, applied=1, version=mark.version + 1)
    await weir.store.save(Batch(mark=mark, dead_letters=letters))


async def main(port, folder):
    config = Config(data_dir=str(folder), partitions=2)
    async with running(config) as weir:
        await seed(weir)
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
