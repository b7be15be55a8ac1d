"""What is said to a reply while it is written: what blocks, what is disliked, what is left."""

import pytest
from msgspec.structs import replace

from actors.errors import RejectedError
from connectors.contract.outgoing import Limits
from connectors.registry import BY_PLATFORM
from services.errors import ForbiddenError, NotFoundError
from services.replies.linter import Linter
from services.replies.manners import warnings
from services.replies.replies import Ask, AskedFile, Replies
from services.replies.verdicts import ObjectedError
from tests.services_layer.desk import AGENT, VIEWER
from tests.services_layer.postal import KEY, Mute, Postal

HOUR = 3_600_000


@pytest.fixture
def linter(desk):
    return Linter(desk.replies)


def codes(found):
    return [one.code for one in found]


async def test_what_blocks_is_what_would_be_objected_to_when_it_is_sent(desk, linter):
    for text in ("x" * 201, "Dear {contact.name}, hello"):
        seen = await linter.check(AGENT, KEY, Ask(text=text))
        with pytest.raises(ObjectedError) as refused:
            await desk.asks(text)
        assert codes(seen.objections) == codes(refused.value.objections) != []
    fine = await linter.check(AGENT, KEY, Ask(text="hello"))
    assert (fine.sendable, fine.objections, fine.length, fine.left) == (True, [], 5, 195)
    assert await desk.rows() == []


async def test_only_the_variables_that_templates_know_are_to_be_filled_in(desk, linter):
    seen = await linter.check(AGENT, KEY, Ask(text="{tracking.number} and {shop} and {tracking.number}, {x} {Shop}"))
    [one] = seen.objections
    assert (one.code, one.figures) == ("unfilled", {"names": "{tracking.number}, {shop}"})
    assert (await desk.asks("a {brace} is no variable")).state == "queued"


async def test_the_end_of_the_window_is_told_and_what_is_late_is_blocked(desk, linter):
    class Windowed(Postal):
        limits = Limits(window_ms=24 * HOUR)

    desk.office.bind(Windowed)
    heard = desk.clock.ms
    seen = await linter.check(AGENT, KEY, Ask(text="hello"))
    assert (seen.window_ends_at, seen.last_in_at, seen.objections) == (heard + 24 * HOUR, heard, [])
    desk.clock.ms += 25 * HOUR
    assert codes((await linter.check(AGENT, KEY, Ask(text="hello"))).objections) == ["window_closed"]


async def test_bytes_are_counted_where_the_platform_counts_them(desk, linter):
    class Bytes(Postal):
        limits = Limits(text=10, unit="bytes")

    desk.office.bind(Bytes)
    seen = await linter.check(AGENT, KEY, Ask(text="你好吗"))
    assert (seen.length, seen.left) == (9, 1)


async def test_a_channel_that_takes_nothing_says_why_and_what_is_disliked_is_told_all_the_same(desk, linter):
    desk.office.bind(Mute)
    seen = await linter.check(AGENT, KEY, Ask(text="HELLO, WHERE ARE YOU NOW"))
    assert (seen.sendable, codes(seen.warnings)) == (False, ["shouting"])
    assert (seen.code, "cannot be answered from here" in seen.why) == ("read_only", True)


async def test_a_channel_that_is_not_bound_is_held_to_what_its_platform_is_known_to_want(desk):
    async def unbound(*_channel):
        return None

    desk.replies = Replies(desk.store, desk.gateway, unbound, now=desk.clock)
    await desk.hears("m1", platform="telegram", account="bot", conversation="c9")
    seen = await Linter(desk.replies).check(AGENT, "telegram/bot/c9", Ask(text="x" * 5000))
    assert (seen.sendable, codes(seen.objections)) == (False, ["text_too_long"])
    assert seen.left == BY_PLATFORM["telegram"].limits.text - 5000
    assert (seen.code, "not bound" in seen.why) == ("unbound", True)


async def test_who_may_not_and_what_is_not_there_is_told(linter):
    with pytest.raises(ForbiddenError):
        await linter.check(VIEWER, KEY, Ask(text="x"))
    with pytest.raises(NotFoundError):
        await linter.check(AGENT, KEY + "x", Ask(text="x"))
    with pytest.raises(RejectedError, match="not held"):
        await linter.check(AGENT, KEY, Ask(files=(AskedFile(digest="0" * 64, name="a", mime="a/b"),)))


@pytest.mark.parametrize(
    ("platform", "text", "wanted"),
    [
        ("shopee", "See https://example.com for more", ["link"]),
        ("shopee", "write to me@example.com", ["email"]),
        ("shopee", "my number is +65 9123 4567", ["phone"]),
        ("shopee", "your order 112-7731845-0093123 left today", []),
        ("ebay", "Message me on WhatsApp please", ["elsewhere"]),
        ("lazada", "加我微信", ["elsewhere"]),
        ("amazon", "A coupon for you, leave a review", ["promo"]),
        ("amazon", "Hier ist Ihr Gutschein", ["promo"]),
        ("shopee", "ส่วนลดพิเศษสำหรับคุณ", ["promo"]),
        ("shopee", "The discounter is closed", []),
        ("whatsapp", "Buy now, 20% discount", ["promo"]),
        ("whatsapp", "See https://example.com", []),
        ("email", "Buy now at https://example.com, call me", []),
        ("email", "PLEASE READ THE WHOLE MAIL", ["shouting"]),
        ("email", "READ THIS NOW PLEASE https://example.com/some/long/page", ["shouting"]),
        ("email", "OK, IBAN DE02", []),
        ("email", "Really!!!", ["exclaiming"]),
        ("email", "真的吗" + "\uff01" * 3, ["exclaiming"]),
        ("email", "x" * 1501, ["long"]),
        ("email", "请问您的订单号是多少", []),
        ("line", "お問い合わせありがとうございます", []),
        ("shopee", "", []),
    ],
)
def test_what_a_platform_dislikes_is_told(platform, text, wanted):
    assert codes(warnings(text, platform, Limits())) == wanted


def test_what_a_platform_forbids_is_not_told_twice():
    forbidding = Limits(forbids=frozenset({"links"}))
    assert warnings("https://example.com", "amazon", forbidding) == []
    assert codes(warnings("https://example.com", "amazon", replace(forbidding, forbids=frozenset()))) == ["link"]
