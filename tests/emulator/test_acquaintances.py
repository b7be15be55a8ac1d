"""Some buyers are known to several platforms: by the number of their orders, or by the order they ask about."""

from __future__ import annotations

import json

from emulator.acquaintances import SHARED, latest_order, parcel_of
from emulator.app import Emulator, Plan
from services.tracking import recognise


async def ordered(bench, index, status="processing"):
    """An order of the shop's buyer of that number."""
    shop = bench.shop("shopify")
    while True:
        order = bench.emulator.life.order(shop)
        if order.buyer == shop.buyers[index]:
            break
    order.status = status
    return order


async def test_an_order_bears_the_number_under_which_its_buyer_writes(bench):
    shop, chat = bench.shop("shopify"), bench.shop("whatsapp")
    order = await ordered(bench, 1)
    buyer = next(one for one in chat.buyers if f"+{one.id}" == order.phone)
    assert latest_order(bench.stage.world, chat, buyer) is order
    assert (await ordered(bench, SHARED)).phone is None
    words = bench.emulator.life.words(chat, bench.stage.conversation(chat, buyer.id))
    assert f"#{order.number}" in words
    await bench.subscribe("shopify")
    order = await ordered(bench, 1)
    await bench.emulator.settle()
    told = [json.loads(body) for body in bench.heard.bodies()]
    assert {one["phone"] for one in told if one["id"] == int(order.id)} == {order.phone}
    assert shop.orders


async def test_buyers_of_other_chats_are_known_by_the_order_alone(bench):
    world = bench.stage.world
    elsewhere = {key for key, _ in world.known if not key.startswith("whatsapp/")}
    assert {key.partition("/")[0] for key in elsewhere} >= {"line", "telegram"}
    everybody = {(shop.key, one.id) for shop in world.shops.values() for one in shop.buyers}
    assert set(world.known) | set(world.known.values()) | set(world.phones) <= everybody


async def test_a_parcel_has_a_number_that_is_recognised_when_its_buyer_asks(bench):
    chat = bench.shop("whatsapp")
    order = await ordered(bench, 0, "completed")
    buyer = next(one for one in chat.buyers if f"+{one.id}" == order.phone)
    conversation = bench.stage.conversation(chat, buyer.id)
    asked = {bench.emulator.life.words(chat, conversation) for _ in range(60)}
    [words] = [one for one in asked if parcel_of(order) in one]
    [found] = recognise(words)
    assert (found.number, found.carriers, found.sure) == (parcel_of(order), ["UPS"], True)
    assert parcel_of(await ordered(bench, 2)) is None


def test_where_there_is_no_chat_nobody_is_known_elsewhere():
    world = Emulator(Plan(platforms=["shopify"])).stage.world
    assert (world.known, world.phones) == ({}, {})


async def test_who_is_known_to_several_platforms_is_introduced_once(bench):
    bench.emulator.life.introduce()
    known = bench.stage.world.known
    bench.emulator.clock.move(len(known) * 5_000)
    await bench.emulator.settle()
    for chat, buyer in known:
        [said] = bench.stage.conversation(bench.stage.world.shops[chat], buyer).messages
        assert any(sign in said.text for sign in ("#1", "#5", "1Z"))
    bench.emulator.life.introduce()
    assert bench.stage.agenda.next_due is None
