"""The world is the same for the same seed, lives by itself, and outlasts the process."""

from __future__ import annotations

import struct
import zlib

import httpx
import pytest

from actors.errors import ConfigurationError
from emulator.app import Emulator, Plan
from emulator.clock import Clock
from emulator.people import asked, named
from emulator.pictures import jpeg, png
from emulator.platforms.registry import PLATFORMS
from emulator.rules import RULES
from tests.emulator.conftest import BASE, START, Heard


def shops(**plan):
    emulator = Emulator(Plan(**plan))
    kinds = emulator.stage.platforms
    return {one.key: (kinds[one.platform].settings(one), one.buyers) for one in emulator.stage.world.shops.values()}


def test_the_same_seed_gives_the_same_shops_and_buyers_and_another_gives_others():
    assert shops(seed=5) == shops(seed=5)
    assert not set(shops(seed=5)) & set(shops(seed=6))


def test_a_shop_is_the_same_whatever_else_is_emulated():
    alone = shops(seed=5, platforms=["line"])
    assert {key: value for key, value in shops(seed=5, shops=3).items() if key in alone} == alone


def test_several_shops_of_a_platform_share_nothing():
    several = shops(seed=5, shops=3)
    assert len(several) == 3 * len(PLATFORMS)
    buyers = [buyer.id for _, people in several.values() for buyer in people]
    assert len(set(buyers)) == len(buyers)


def test_a_platform_that_is_not_emulated_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="myspace is not emulated"):
        Emulator(Plan(platforms=["myspace"]))
    with pytest.raises(ConfigurationError, match="shops"):
        Emulator(Plan(shops=0))


def test_every_platform_has_its_rules_and_every_rule_its_platform():
    assert {kind.name for kind in PLATFORMS} == set(RULES)


def test_pictures_are_real_ones():
    picture = png(7)
    size = struct.unpack(">II", picture[16:24])
    assert (picture[:8], size, picture[-8:-4]) == (b"\x89PNG\r\n\x1a\n", (64, 64), b"IEND")
    assert zlib.crc32(picture[12:29]) == struct.unpack(">I", picture[29:33])[0]
    film = jpeg(7)
    assert (film[:2], film[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert jpeg(7) == film != jpeg(8)


def test_buyers_have_names_and_words_in_the_languages_of_every_platform(bench):
    languages = {language for kind in PLATFORMS for language in kind.languages}
    for language in languages:
        assert named(language, 0) != named(language, 40)
        words = {asked(bench.stage.rng, language, "A1") for _ in range(50)}
        assert len(words) > 2
        assert not any("{" in word for word in words)


async def test_buyers_write_at_their_rate_and_answer_a_shop(bench):
    await bench.subscribe("telegram")
    shop = bench.shop("telegram")
    bench.emulator.life.pace(12)
    for _ in range(1_200):
        await bench.later(1)
    asked_ = [one for one in shop.messages() if one.direction == "in"]
    assert 160 < len(asked_) < 300
    assert 5 < sum(one.media is not None for one in asked_) < 70
    bench.emulator.life.pace(0.0001)
    before = len(shop.messages())
    for conversation in shop.conversations.values():
        bench.stage.write(conversation, "It left today", by="api")
    for _ in range(60):
        await bench.later(1)
    assert any(one.direction == "in" for one in shop.messages()[before:])


@pytest.mark.parametrize("kind", PLATFORMS, ids=lambda kind: kind.name)
async def test_no_two_messages_have_one_id_and_ids_go_on_after_a_restart(kind, tmp_path):
    seen = []
    for start in (START, START + 1):
        emulator = Emulator(Plan(seed=3, platforms=[kind.name], folder=tmp_path), Clock(lambda start=start: start))
        async with emulator.opened(BASE, httpx.MockTransport(Heard())):
            (shop,) = emulator.stage.world.shops.values()
            held = {(one.conversation, one.id) for one in shop.messages()} | {one.id for one in shop.orders}
            assert held == set(seen)
            for _ in range(30):
                if kind.chats:
                    one = emulator.stage.write(emulator.stage.conversation(shop), "hello")
                    seen.append((one.conversation, one.id))
                elif (order := emulator.life.order(shop)).id not in seen:
                    seen.append(order.id)
    assert len(set(seen)) == len(seen)


async def test_a_shop_stays_connected_over_a_restart(tmp_path):
    plan = Plan(seed=3, platforms=["line"], folder=tmp_path)
    emulator = Emulator(plan)
    async with emulator.opened(BASE, httpx.MockTransport(Heard())):
        (shop,) = emulator.stage.world.shops.values()
        first = shop.token.access
        token = emulator.stage.platforms["line"].granted(shop, 3_600)
        emulator.stage.pusher.subscribe(shop, "https://weir.example/hook")
    again = Emulator(plan)
    async with again.opened(BASE, httpx.MockTransport(Heard())):
        (shop,) = again.stage.world.shops.values()
        assert (shop.token, shop.webhook, shop.pushing) == (token, "https://weir.example/hook", True)
        assert token.access != first


async def test_a_journal_that_was_cut_off_gives_what_was_whole_and_no_more_than_three_days(tmp_path):
    clock = Clock(lambda: START)
    plan = Plan(seed=3, platforms=["line"], folder=tmp_path)
    emulator = Emulator(plan, clock)
    async with emulator.opened(BASE, httpx.MockTransport(Heard())):
        (shop,) = emulator.stage.world.shops.values()
        conversation = emulator.stage.conversation(shop)
        emulator.stage.write(conversation, "old", at=START - 4 * 24 * 3_600_000)
        message = emulator.stage.write(conversation, "new", media=emulator.stage.picture())
        picture = emulator.stage.world.media[message.media]
        emulator.stage.recall(message)
    path = tmp_path / "emulator.jsonl"
    path.write_bytes(path.read_bytes() + b'{"message":{"shop":"li')
    again = Emulator(plan, clock)
    async with again.opened(BASE, httpx.MockTransport(Heard())):
        (shop,) = again.stage.world.shops.values()
        assert [(one.text, one.status) for one in shop.messages()] == [("new", "recalled")]
        assert again.stage.world.media[message.media] == picture
