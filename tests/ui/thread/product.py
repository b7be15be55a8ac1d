"""The whole product for browser tests of the thread and the composer: `product.py PORT FOLDER`.

A web chat `webchat/shop` is bound, so replies to it are sent; `shopee/sg-1` is not. Log in as `Ada Lin` (admin), `Ben
Okafor` or `Vic Ho` (agent, viewer); the password of each is PASSWORD. Further events come in over the API.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn
from msgspec import json

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.intake import parse_event  # needs the line above
from actors.orders import Order, OrderItem, Shipment
from services.people.permissions import Caller
from services.sweeps.lines import RESYNCED
from services.templates.templates import Wanted
from storage.records import AuditRow
from storage.writing_records import TemplateText
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

HOSTILE = '<img src=x onerror="window.hurt=1"> & "Bo"'
PEOPLE = (("Ada Lin", "admin"), ("Ben Okafor", "agent"), ("Vic Ho", "viewer"))
MINUTE = 60_000
SWEPT = {"checked": 3, "new": 2, "duplicate": 1, "edited": 1, "recalled": 0}
BOSS = Caller(name="Ada Lin", role="admin", via="session")


def message(at, name, *, conversation="c1", direction="in", who="Arun Linh", delay=400, platform="webchat", **more):
    account = "shop" if platform == "webchat" else "sg-1"
    role = "customer" if direction == "in" else "agent"
    sender = {"id": "u1" if direction == "in" else who, "name": who, "role": role}
    about = {"platform": platform, "account": account, "conversation": conversation}
    told = {"type": "message", **about, "message": name, "sent_at": at - delay, "at": at, "direction": direction}
    return told | {"sender": sender} | more


def later(kind, at, name, *, conversation="c1", **more):
    about = {"platform": "webchat", "account": "shop", "conversation": conversation, "message": name}
    return {"type": kind, **about, "at": at, **more}


def events(now):
    """A talk with all that may happen to messages; a long one; one of hostile words; one that cannot be answered."""
    start = now - 26 * 60 * MINUTE
    yield message(start, "m1", text="Hi, has my parcel left the warehouse yet?", order="L9295887915")
    yield message(start + 4 * MINUTE, "m2", direction="out", who="Ben Okafor", text="Hi! It was packed this morning.")
    yield later("receipt", start + 5 * MINUTE, "m2", status="delivered")
    yield later("receipt", start + 6 * MINUTE, "m2", status="read")
    recent = now - 60 * MINUTE
    yield message(
        recent, "m3", text="No quiero el reembolso del pedido 112-7731845-0093, 49,90 € antes del 03/04", lang="es"
    )
    words = "I do not want the refund of order 112-7731845-0083, 49.90 € before 03/04"
    yield later("translation", recent + 900, "m3", status="ok", source="es", target="en", text=words)
    yield message(
        recent + MINUTE, "m4", direction="out", who="Ben Okafor", text="Understood, no refund.", reply_to="m3"
    )
    yield later("receipt", recent + MINUTE + 500, "m4", status="delivered")
    yield message(
        recent + 3 * MINUTE, "m5", delay=150_000, text="And please send me the tracking number 1Z999AA10123456784"
    )
    yield message(recent + 4 * MINUTE, "m6", text="See https://example.com/help?x=1 please")
    yield message(recent + 4 * MINUTE + 200, "m6", text="See https://example.com/help?x=1 please")
    yield message(recent + 5 * MINUTE, "m7", text="I need it on Thursday")
    yield later("edit", recent + 6 * MINUTE, "m7", text="I need it before Friday, it is a birthday present 🎁")
    yield message(recent + 7 * MINUTE, "m8", text="Never mind this one")
    yield later("delete", recent + 8 * MINUTE, "m8")
    for number in range(420):
        at = now - (500 - number) * MINUTE
        words = f"Message number {number} of a long talk."
        side = {"direction": "out", "who": "Ben Okafor"} if number % 3 == 2 else {}
        yield message(at, f"l{number}", conversation="long", text=words, **side)
    hostile = {"who": HOSTILE, "order": HOSTILE, "lang": "en"}
    files = [{"id": HOSTILE, "kind": HOSTILE, "mime": HOSTILE, "url": "https://127.0.0.1/x"}]
    yield message(now - 9 * MINUTE, HOSTILE, conversation="bad", text=HOSTILE, attachments=files, **hostile)
    yield message(
        now - 8 * MINUTE, "b2", conversation="bad", text="javascript:window.hurt=1 {{ 7*7 }}", reply_to=HOSTILE
    )
    yield later(
        "edit", now - 7 * MINUTE, "b2", conversation="bad", text="{{ constructor.constructor('window.hurt=1')() }}"
    )
    yield later(
        "translation", now - 7 * MINUTE, "b2", conversation="bad", status="ok", target="en", text=f"{HOSTILE} 4711"
    )
    yield message(now - 5 * MINUTE, "s1", conversation="s1", platform="shopee", text="Where is it?")


async def seed(weir):
    for name, role in PEOPLE:
        await weir.accounts.add(name, role, PASSWORD, who="admin")
    now = weir.gateway.now()
    await weir.gateway.submit(sorted(read(events(now)), key=lambda event: event.at))
    await furnish(weir, now)


def read(told):
    """Events as they are sent, as the gateway has them."""
    return [parse_event(json.encode(event), need_at=True) for event in told]


async def furnish(weir, now):
    """What beside messages there is: an order, what sweeps found, templates."""
    order = Order(
        platform="webchat", account="shop", id="1", number="L9295887915", status="shipped", created_at=now,
        updated_at=now, items=[OrderItem(title="Mug", quantity=1)],
        shipments=[Shipment(carrier="DHL", number="JJD0099887766")],
    )  # fmt: skip
    await weir.store.put_orders([order])
    for minutes, who, after in ((3, "sweep", SWEPT), (2, "Ben Okafor", {"failed": "the token ran out"})):
        at = now - minutes * MINUTE
        line = AuditRow(at=at, who=who, what=RESYNCED, subject="webchat/shop/c1", after=after)
        await weir.store.append_audit(line)
    wordings = [
        TemplateText(text="Hello {contact.first_name}, your parcel {tracking.number} is on its way. {agent.name}"),
        TemplateText(text="Hola {contact.first_name}, su paquete {tracking.number} está en camino.", lang="es"),
        TemplateText(text="Hi {contact.first_name}! {tracking.number} — {shop}", platform="shopee"),
    ]
    await weir.services.templates.create(BOSS, Wanted(name="Tracking", folder="Shipping", texts=wordings))
    refund = [TemplateText(text="Dear {contact.name}, {amount} will be back within {days} days.")]
    await weir.services.templates.create(BOSS, Wanted(name="Refund", folder="Refunds", texts=refund))
    await weir.services.templates.create(BOSS, Wanted(name=HOSTILE, folder=HOSTILE, texts=[TemplateText(text=HOSTILE)]))


async def main(port, folder):
    async with running(Config(data_dir=str(folder), partitions=2)) as weir:
        if not await weir.store.user("Ben Okafor"):
            await seed(weir)
        values = {"secret": "a secret of the shop that nobody knows", "origins": f"http://127.0.0.1:{port}"}
        url = f"http://127.0.0.1:{port}/webhooks/webchat/shop"
        await weir.services.bindings.bind(BOSS, "webchat", "shop", url, values)
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
