"""The whole product for browser tests of customers: orders of a shop, two who are one, names and texts that mean harm.

Run as a program: `product.py PORT FOLDER`. Log in as `Ada Lin` (admin), `Mei Tan` (agent) or `Vic Ho` (viewer); the
password of each is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.events import Message, Notification, Receipt, Sender  # needs the line above
from actors.orders import Order, OrderItem, Shipment
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

HOSTILE = '<img src=x onerror="window.hurt=1"> & "Bo"\u202e'
PEOPLE = (("Ada Lin", "admin"), ("Mei Tan", "agent"), ("Vic Ho", "viewer"))
MINUTE_MS = 60_000
ARUN, LAZADA, BAD = "arun.linh@example.com", "700112", "bad<b>"


def said(now, minutes, platform, account, conversation, who, name, text, **more):
    """One message, so many minutes ago."""
    direction = more.pop("direction", "in")
    role = "customer" if direction == "in" else "agent"
    at = now - round(minutes * MINUTE_MS)
    return Message(
        platform=platform,
        account=account,
        conversation=conversation,
        message=f"{conversation}-{minutes}",
        at=at,
        sent_at=at - 1500,
        direction=direction,
        sender=Sender(id=who, name=name, role=role),
        text=text,
        **more,
    )


def events(now):
    """What was said."""
    mail, chat = ("email", "help", "mail-1", ARUN, "Arun Linh"), ("lazada", "th-1", "c-1", LAZADA, "arun_l")
    yield said(now, 4000, *mail, "Hello, do you ship to Chiang Mai?", lang="en")
    yield said(now, 3990, "email", "help", "mail-1", "a1", "Ada Lin", "Of course we do.", direction="out")
    yield said(now, 90, *mail, "I ordered, thank you! When will #1001 arrive?", order="#1001", lang="en")
    yield said(now, 60, *chat, "พัสดุ 1Z37EJ8B0322420403 ยังไม่ถึงเลยค่ะ", order="1001", lang="th")
    yield said(now, 58, "lazada", "th-1", "c-1", "a2", "Mei Tan", "It left our warehouse yesterday.", direction="out")
    yield said(now, 50, "line", "shop", "c-2", "U7", "Somchai Jaidee", "มีสีเทาไหมครับ", lang="th")
    yield said(now, 30, "shopee", "sg", "c-3", BAD, HOSTILE, HOSTILE, order=HOSTILE[:40])
    for number in range(30):
        yield said(now, 20 - number / 10, "ebay", "uk", f"e-{number}", f"buyer{number}", f"Buyer {number}", "hi")
    fate = {"platform": "lazada", "account": "th-1", "conversation": "c-1"}
    yield Receipt(at=now - 57 * MINUTE_MS, status="delivered", message="c-1-58", **fate)
    yield Notification(at=now - 59 * MINUTE_MS, medium="desktop", status="fired", message="c-1-60", **fate)


def orders(now):
    """What was bought."""
    base = {"platform": "shopify", "account": "nordic-goods", "currency": "THB", "country": "TH", "email": ARUN}
    yield Order(
        id="5001",
        number="#1001",
        created_at=now - 3000 * MINUTE_MS,
        updated_at=now - 100 * MINUTE_MS,
        status="open",
        payment="paid",
        fulfilment="partially_fulfilled",
        total="1290.00",
        contact="cust-9",
        name="Arun Linh",
        phone="081 234 5678",
        items=[
            OrderItem(title="Wool jacket, grey, M", quantity=1, sku="JK-GR-M", price="990.00"),
            OrderItem(title="Socks, three pairs", quantity=2, price="150.00"),
        ],
        shipments=[Shipment(carrier="UPS", number="1Z37EJ8B0322420403", status="in_transit")],
        **base,
    )
    yield Order(
        id="4001",
        number="#0907",
        created_at=now - 90_000 * MINUTE_MS,
        updated_at=now - 80_000 * MINUTE_MS,
        status="closed",
        payment="paid",
        fulfilment="fulfilled",
        total="450.00",
        contact="cust-9",
        items=[OrderItem(title="Cap", price="450.00")],
        shipments=[Shipment(carrier="Kerry Express", number="KEXTH001234567", status="delivered")],
        **base,
    )
    yield Order(
        platform="woocommerce",
        account=HOSTILE,
        id="h",
        number=HOSTILE,
        created_at=now,
        updated_at=now,
        total="1e9999",
        currency="<b>",
        contact=BAD,
        name=HOSTILE,
        status=HOSTILE,
        payment=HOSTILE,
        fulfilment=HOSTILE,
        refund=HOSTILE,
        items=[OrderItem(title=HOSTILE, sku=HOSTILE, price=HOSTILE)],
        shipments=[Shipment(carrier=HOSTILE, number=HOSTILE, url="javascript:window.hurt=1", status=HOSTILE)],
    )
    # The chat's shop knows it by the buyer's id there, which brings the hostile one to its customer.
    yield Order(
        platform="shopee",
        account="sg",
        id=HOSTILE[:40],
        number=HOSTILE[:40],
        created_at=now,
        updated_at=now,
        total="5",
        currency="<i>",
        contact=BAD,
        items=[OrderItem(title=HOSTILE, sku=HOSTILE, price=HOSTILE)],
        shipments=[Shipment(carrier=HOSTILE, number=HOSTILE, url="javascript:window.hurt=1", status=HOSTILE)],
    )


async def main(port, folder):
    async with running(Config(data_dir=folder, partitions=2)) as weir:
        for name, role in PEOPLE:
            await weir.accounts.add(name, role, PASSWORD, who="test")
        now = weir.gateway.now()
        await weir.store.put_orders(list(orders(now)))
        await weir.gateway.submit(sorted(events(now), key=lambda event: event.at))
        while not await weir.store.conversation("ebay/uk/e-29"):  # noqa: ASYNC110 # a store tells nobody what it saved
            await asyncio.sleep(0.05)
        config = uvicorn.Config(weir.web(), port=port, log_level="warning")
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
