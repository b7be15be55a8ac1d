"""Customers of a small seller: conversations in a real store, orders of a shop, a vault with a key of its own."""

import pytest

from actors.orders import Order
from services.channels.secrets import Vault
from services.contacts.contact_data import Safe
from services.contacts.context import Contacts
from services.contacts.registrar import Registrar
from services.people.permissions import Caller
from storage.inbox_records import Scope
from tests.storage.flushes import NOW, Flushes, customer, stored

ANN = Caller(name="ann", role="agent", via="session")


class Shop:
    """What happens to a seller; `contacts` is what is tested."""

    def __init__(self, store, vault, clock):
        self.store, self.vault, self.now = store, vault, clock
        self.safe = Safe(vault)
        self.hidden = set()
        self.contacts = Contacts(store, self.safe, clock, self.sight)
        self.registrar = Registrar(store, self.contacts.learning, self.safe, clock)
        self.save = Flushes(store)
        self.numbers = iter(range(1, 10_000))

    async def sight(self, _caller):
        """Whatever is not of a hidden channel."""
        return Scope(strays=True, held_channels=tuple(self.hidden))

    async def wrote(self, platform, identity, *, text="hello", name=None, conversation=None, **more):
        """A customer writes; the conversation's key."""
        number = next(self.numbers)
        conversation = conversation or f"c-{identity}"
        account = more.pop("account", "shop")
        event = stored(
            f"m{number}",
            conversation,
            at=NOW + number * 1000,
            platform=platform,
            account=account,
            text=text,
            sender=customer(name or f"Name of {identity}", identity),
            **more,
        )
        await self.save(event)
        return event.key

    async def ordered(self, number, *, contact="cust-1", email="arun@example.com", **more):
        fields = {
            "platform": "shopify",
            "account": "web",
            "id": f"id-{number}",
            "created_at": NOW,
            "updated_at": NOW,
            "payment": "paid",
            "fulfilment": "unfulfilled",
            "total": "20.00",
            "currency": "THB",
            "country": "TH",
        }
        order = Order(number=f"#{number}", contact=contact, email=email, **(fields | more))
        await self.store.put_orders([order])
        return order

    async def context(self, key, caller=ANN):
        return await self.contacts.context(key, caller)

    async def reasons(self, key):
        """(platform, kinds of reasons) of each suggestion."""
        found = (await self.context(key))["suggestions"]
        return [
            (one["contact"]["identities"][0]["platform"], [reason["kind"] for reason in one["reasons"]])
            for one in found
        ]


@pytest.fixture
def vault(data_dir):
    return Vault(file=data_dir / "secret.key")


@pytest.fixture
def shop(store, vault, clock):
    return Shop(store, vault, clock)
