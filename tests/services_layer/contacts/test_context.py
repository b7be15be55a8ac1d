"""What stands beside a conversation."""

import pytest

from actors.orders import OrderItem, Shipment
from services.contacts.people import Change
from services.errors import NotFoundError
from storage.channel_records import Identity
from storage.contact_records import ContactFilter
from tests.services_layer.contacts.conftest import ANN
from tests.storage.flushes import NOW, anomaly


async def test_the_order_of_the_conversation_stands_first_with_steps_and_linked_parcels(shop):
    await shop.ordered(900, created_at=NOW + 5)
    parcel = Shipment(number="1Z37EJ8B0322420403", status="in_transit")
    order = await shop.ordered(
        1001,
        fulfilment="fulfilled",
        items=[OrderItem(title="Jacket", quantity=2, sku="J", price="10.00")],
        shipments=[parcel, Shipment(carrier="Kerry Express", number="KEX1"), Shipment(url="javascript:alert(1)")],
    )
    key = await shop.wrote("email", "arun@example.com", order="1001")
    told = await shop.context(key)
    first, second = told["orders"]
    assert (first["number"], first["here"], first["why"]) == (order.number, True, ["order", "email"])
    assert (second["number"], second["here"], second["why"]) == ("#900", False, ["email"])
    assert first["items"] == [{"title": "Jacket", "quantity": 2, "sku": "J", "price": "10.00"}]
    links = [one["url"] for one in first["shipments"]]
    assert links == [
        "https://www.ups.com/track?tracknum=1Z37EJ8B0322420403",
        "https://th.kex-express.com/th/track/?track=KEX1",
        None,
    ]
    steps = {step["what"]: step["state"] for step in first["steps"]}
    assert steps == {"ordered": "done", "paid": "done", "sent": "done", "delivered": "now"}
    assert told["value"] == [{"currency": "THB", "total": "40.00"}]


async def test_cancelled_and_refunded_orders_count_nothing(shop):
    await shop.ordered(1, status="cancelled")
    await shop.ordered(2, refund="refunded", payment="refunded")
    await shop.ordered(3, total="oops")
    await shop.ordered(4, total="1.10", currency="eur")
    told = await shop.context(await shop.wrote("email", "arun@example.com"))
    assert told["value"] == [{"currency": "EUR", "total": "1.10"}]
    steps = {one["number"]: [step["what"] for step in one["steps"]] for one in told["orders"]}
    assert steps["#1"] == ["ordered", "cancelled"]
    assert steps["#2"][-1] == "refunded"


async def test_an_order_of_anothers_customer_is_shown_and_not_counted(shop):
    await shop.ordered(1001, contact="other", email="other@example.com")
    told = await shop.context(await shop.wrote("line", "U1", order="1001"))
    assert [one["number"] for one in told["orders"]] == ["#1001"]
    assert (told["value"], told["orders_count"], told["emails"]) == ([], 0, [])


async def test_local_time_is_what_people_said_else_of_the_order_the_number_or_the_language(shop):
    async def local(key):
        found = (await shop.context(key))["local_time"]
        return found and (found["zone"], found["from"], found["sure"], found["offset_minutes"])

    nobody = await shop.wrote("line", "U0", lang="en")
    assert await local(nobody) is None
    assert await local(await shop.wrote("line", "U1", lang="th")) == ("Asia/Bangkok", "language", False, 420)
    whats = await shop.wrote("whatsapp", "4915112345678")
    assert await local(whats) == ("Europe/Berlin", "phone", True, 60)
    mail = await shop.wrote("email", "arun@example.com")
    await shop.ordered(1, country="US")
    assert await local(mail) == ("America/New_York", "order", False, -300)
    contact = (await shop.context(mail))["contact"]["id"]
    await shop.contacts.people.change(contact, Change(zone="Asia/Tokyo"), who="ann")
    assert await local(mail) == ("Asia/Tokyo", "said", True, 540)


async def test_history_and_timeline_hold_what_the_caller_may_see(shop):
    first = await shop.wrote("line", "U1", text="one")
    second = await shop.wrote("line", "U1", text="two", conversation="later")
    hidden = await shop.wrote("ebay", "u2", text="three")
    told, other = await shop.context(first), await shop.context(hidden)
    await shop.contacts.people.merge(told["contact"]["id"], other["contact"]["id"], who="ann")
    assert len((await shop.context(first))["history"]["items"]) == 3
    shop.hidden.add(("ebay", "shop"))
    told = await shop.context(first)
    assert [(span["key"], span["here"]) for span in told["history"]["items"]] == [(second, False), (first, True)]
    person, scope = await shop.contacts.visible(told["contact"]["id"], ANN)
    page = await shop.contacts.history.timeline(person, scope, 1)
    assert [row.text for row in page.items] == ["two"]
    rest = await shop.contacts.history.timeline(person, scope, 5, page.next)
    assert ([row.text for row in rest.items], rest.next) == (["one"], None)
    spans = await shop.contacts.history.page(person, scope, 1)
    assert [row.key for row in (await shop.contacts.history.page(person, scope, 1, spans.next)).items] == [first]
    with pytest.raises(NotFoundError):
        await shop.context(hidden)
    shop.hidden.add(("line", "shop"))
    with pytest.raises(NotFoundError):
        await shop.contacts.visible(told["contact"]["id"], ANN)


async def test_somebody_whom_the_platform_gives_no_id_is_one_for_each_conversation(shop):
    first = await shop.wrote("webhook", None, conversation="a", name="X")
    second = await shop.wrote("webhook", None, conversation="b", name="X")
    one, other = await shop.context(first), await shop.context(second)
    assert one["contact"]["id"] != other["contact"]["id"]
    assert one["identities"][0]["id"] is None
    assert [span["key"] for span in one["history"]["items"]] == [first]


async def test_health_tracking_numbers_and_other_names(shop):
    key = await shop.wrote("whatsapp", "66812345678", text="my parcel 1Z37EJ8B0322420403 is lost")
    trouble = anomaly(1, platform="whatsapp", conversation="c-66812345678", message="m1", kind="delay")
    await shop.save(trouble)
    names = [Identity(platform="whatsapp", account="shop", alias=alias, canonical="66812345678", since=NOW)
        for alias in ("66812345678", "TH.1")]  # fmt: skip
    await shop.store.link_identities(names)
    told = await shop.context(key)
    assert [(one["number"], one["message"]) for one in told["tracking"]] == [("1Z37EJ8B0322420403", "m1")]
    [found] = told["health"]["anomalies"]
    assert (found["kind"], found["trace"]) == ("delay", "/trace?key=whatsapp%2Fshop%2Fc-66812345678&message=m1")
    assert told["health"]["last"][0]["message"] == "m1"
    assert [one["name"] for one in told["aliases"]] == ["66812345678", "TH.1"]


async def test_a_parcel_of_ones_own_order_is_recognised_without_any_word(shop):
    await shop.ordered(1, shipments=[Shipment(number="7712345678", carrier="Flash")])
    told = await shop.context(await shop.wrote("email", "arun@example.com", text="7712345678?"))
    assert [one["number"] for one in told["tracking"]] == ["7712345678"]


async def test_customers_are_listed_and_found_by_address_number_name_tag_and_value(shop):
    await shop.ordered(1, total="50", phone="0812345678")
    mail = await shop.wrote("email", "arun@example.com", name="Arun Linh")
    line = await shop.wrote("line", "U1", name="李伟")
    ids = {key: (await shop.context(key))["contact"]["id"] for key in (mail, line)}
    await shop.contacts.people.change(ids[line], Change(tags=["vip"]), who="ann")

    async def found(**where):
        page = await shop.contacts.listed(ContactFilter(**where), ANN, 10)
        return [row["id"] for row in page.items]

    assert await found() == [ids[line], ids[mail]]
    assert await found(text="ARUN@example.com") == [ids[mail]]
    assert await found(text="+66 81 234 5678") == [ids[mail]]
    assert await found(text="李") == [ids[line]]
    assert await found(text="nobody") == []
    assert await found(platform="line") == [ids[line]]
    assert await found(tag="vip") == [ids[line]]
    assert await found(spent_from=50.0, currency="THB") == [ids[mail]]
    await shop.contacts.people.merge(ids[mail], ids[line], who="ann")
    assert await found() == [ids[mail]]
    assert await found(tag="vip") == [ids[mail]]
    [row] = (await shop.contacts.listed(ContactFilter(platform="line"), ANN, 10)).items
    assert (row["tags"], row["value"]) == (["vip"], [{"currency": "THB", "total": "50"}])
    shop.hidden |= {("email", "shop"), ("line", "shop")}
    assert await found() == []


async def test_contact_data_in_the_database_is_sealed(shop):
    await shop.ordered(1, phone="0812345678", email=None, contact="U1", platform="line", account="shop")
    await shop.context(await shop.wrote("line", "U1"))
    await shop.store.sync()
    [held] = (await shop.store.contacts(ContactFilter(), 5)).items
    assert held.told.facts
    assert "812345678" not in str(held.told.facts)
    assert b"812345678" not in held.told.sealed
    assert held.told.key != ""
