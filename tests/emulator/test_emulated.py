"""Shops of an emulator are bound in a Weir by its own services."""

from __future__ import annotations

import httpx
import pytest

from actors.errors import RejectedError, RetriableError
from connectors.registry import BY_PLATFORM
from services.people.permissions import Caller
from tests.emulator.conftest import BASE
from weir.parts.emulated import bind_emulated

WEIR = "https://weir.example"
CALLER = Caller(name="a test", role="admin", via="cli")

MAIL = "amazon"
"""Its connector wants a mailbox, which the emulator does not give."""


class Kept:
    """Keeps what is bound, as the service checks it."""

    def __init__(self, refuse=()):
        self.rows = {}
        self.refuse = refuse

    async def bind(self, caller, platform, account, url, settings):
        assert caller is CALLER
        if platform in self.refuse or platform == MAIL:
            raise RejectedError("settings: it is refused")
        kind = BY_PLATFORM[platform]
        assert {one.name for one in kind.settings if one.required} <= set(settings) <= {s.name for s in kind.settings}
        self.rows[platform] = (account, url, dict(settings))


async def bound(bench, kept, **more):
    transport = httpx.ASGITransport(bench.emulator.app)
    return await bind_emulated(kept, CALLER, emulator=BASE, weir=WEIR, transport=transport, **more)


async def test_every_shop_whose_platform_has_a_connector_is_bound_and_registered(bench):
    kept = Kept()
    done = await bound(bench, kept)
    both = [shop for shop in bench.stage.world.shops.values() if shop.platform in BY_PLATFORM and shop.platform != MAIL]
    assert done == [shop.key for shop in both]
    for shop in both:
        account, url, settings = kept.rows[shop.platform]
        assert account == shop.account
        assert url.startswith(f"{WEIR}/webhooks/{shop.platform}/")
        assert settings.get("api_url", "").startswith(BASE) or "api_url" not in {
            one.name for one in BY_PLATFORM[shop.platform].settings
        }
        platform = bench.stage.platforms[shop.platform]
        if platform.pushes and platform.greeting(shop, url) is None:
            assert shop.webhook == url


async def test_binding_again_gives_the_same(bench):
    first, second = Kept(), Kept()
    await bound(bench, first)
    await bound(bench, second)
    assert first.rows == second.rows


async def test_a_shop_that_is_refused_or_has_no_connector_is_left_out(bench):
    some = {name: BY_PLATFORM[name] for name in ("line", "telegram")}
    done = await bound(bench, Kept(refuse=("line",)), connectors=some)
    assert done == [bench.shop("telegram").key]


async def test_an_emulator_that_does_not_answer_is_said_so():
    transport = httpx.MockTransport(lambda _request: httpx.Response(500))
    with pytest.raises(RetriableError, match="does not tell its shops"):
        await bind_emulated(Kept(), CALLER, emulator=BASE, weir=WEIR, transport=transport)
