"""Several shops of a platform may be connected by one app: one secret, one webhook for all."""

from __future__ import annotations

import pytest

from connectors.contract.connector import Binding, WebhookRequest
from connectors.registry import BY_PLATFORM
from emulator.app import Plan
from tests.emulator.conftest import BASE

SHARED = ["shopee", "lazada", "tiktok", "mercadolibre"]
URL = "https://weir.example/webhooks/one?key=word"


@pytest.fixture
def plan():
    return Plan(seed=3, shops=3, shared_apps=True, platforms=[*SHARED, "line"])


@pytest.mark.parametrize("platform", SHARED)
async def test_pushes_of_all_shops_go_to_one_address_and_say_whose_they_are(bench, platform):
    shops = bench.stage.world.of(platform)
    kind = bench.stage.platforms[platform]
    assert len({tuple(shop.ids[name] for name in kind.app_ids) for shop in shops}) == 1
    assert len({shop.token.access for shop in shops}) == 3
    await bench.client.put("/_emulator/webhooks", json={"shop": shops[1].key, "url": URL})
    bench.heard.requests.clear()
    for shop in shops:
        await bench.client.post("/_emulator/say", json={"shop": shop.key, "text": "hello"})
    await bench.emulator.settle()
    assert [str(request.url) for request in bench.heard.requests] == [URL] * 3
    own = bench.stage.platforms[platform].settings(shops[1])
    names = {one.name for one in BY_PLATFORM[platform].settings}
    settings = {name: value for name, value in {**own, "webhook_key": "word"}.items() if name in names}
    connector = BY_PLATFORM[platform](Binding(account=shops[1].account, url=URL, settings=settings))
    told = []
    for request in bench.heard.requests:
        asked = WebhookRequest(
            method="POST",
            headers={name.lower(): value for name, value in request.headers.items()},
            query=dict(request.url.params),
            body=request.content,
        )
        connector.verify(asked)
        told.append(connector.route(asked))
    assert told == [shop.account for shop in shops]


async def test_a_platform_without_shared_apps_keeps_an_address_for_each_shop(bench):
    first, second, _ = bench.stage.world.of("line")
    await bench.client.put("/_emulator/webhooks", json={"shop": first.key, "url": f"{BASE}/first"})
    assert (first.webhook, second.webhook) == (f"{BASE}/first", None)


@pytest.mark.parametrize("platform", SHARED)
async def test_the_token_says_which_shop_of_an_app_asks(bench, platform):
    kind = bench.stage.platforms[platform]
    for shop in bench.stage.world.of(platform):
        assert kind.valid(kind.by_token(shop.token.access), shop.token.access) is shop
        assert kind.siblings(shop) == bench.stage.world.of(platform)
