"""Webhooks are tried again, given up and switched off by each platform's own rules."""

from __future__ import annotations

import json

import httpx
import pytest

from emulator.rules import RULES

HOUR = 3_600


def state(bench, platform):
    return [one.state for one in bench.stage.pusher.deliveries if one.happening.shop == bench.shop(platform).key]


@pytest.mark.parametrize("platform", ["shopee", "lazada", "whatsapp", "line", "mercadolibre", "ebay"])
async def test_a_webhook_that_fails_is_tried_as_often_as_the_platform_does(bench, platform):
    await bench.subscribe(platform)
    bench.heard.status = 500
    await bench.says(platform)
    pauses = RULES[platform].retries_s
    for done, pause in enumerate(pauses, start=1):
        assert len(bench.heard.requests) == done
        await bench.later(pause - 0.001)
        assert len(bench.heard.requests) == done
        await bench.later(0.001)
    assert len(bench.heard.requests) == len(pauses) + 1
    assert state(bench, platform) == ["lost"]
    await bench.later(30 * 24 * HOUR)
    assert len(bench.heard.requests) == len(pauses) + 1


async def test_what_is_taken_at_last_is_sent_no_more(bench):
    await bench.subscribe("shopee")
    bench.heard.status = 503
    await bench.says("shopee")
    bench.heard.status = 200
    await bench.later(1)
    await bench.later(HOUR)
    assert (len(bench.heard.requests), state(bench, "shopee")) == (2, ["done"])


async def test_an_ordered_platform_lets_nothing_overtake_what_is_tried_again(bench):
    await bench.subscribe("telegram")
    bench.heard.status = 500
    await bench.says("telegram", "{n}", times=3)
    bench.heard.status = 200
    await bench.later(10)
    texts = [json.loads(body)["message"]["text"] for body in bench.heard.bodies()]
    assert texts == ["1", "1", "2", "3"]


async def test_lazada_wants_200_and_no_other_success(bench):
    await bench.subscribe("lazada")
    bench.heard.status = 204
    await bench.says("lazada")
    assert state(bench, "lazada") == ["waiting"]


async def test_an_answer_that_comes_too_late_is_none(bench):
    async def never(_request):
        raise httpx.ReadTimeout("too late")

    await bench.subscribe("tiktok")
    bench.heard.answers = lambda _request: (_ for _ in ()).throw(httpx.ReadTimeout("too late"))
    await bench.says("tiktok")
    (delivery,) = bench.stage.pusher.deliveries
    assert (delivery.state, delivery.attempts[0].status, delivery.attempts[0].error) == ("waiting", None, "ReadTimeout")


async def test_a_webhook_that_keeps_failing_is_switched_off_while_the_shop_goes_on_receiving(bench):
    shop = await bench.subscribe("woocommerce")
    bench.heard.status = 500
    await bench.says("woocommerce", times=5)
    assert not shop.pushing
    await bench.says("woocommerce", times=2)
    assert len(bench.heard.requests) == RULES["woocommerce"].disable_after
    assert state(bench, "woocommerce").count("kept") == 2
    assert len(shop.orders) >= 1


async def test_more_failures_than_half_stop_lazadas_pushes(bench):
    shop = await bench.subscribe("lazada")
    bench.heard.status = 500
    await bench.says("lazada", times=25)
    assert not shop.pushing
    bench.heard.status = 200
    await bench.subscribe("lazada")
    assert shop.pushing
    await bench.says("lazada")
    assert state(bench, "lazada")[-1] == "done"


async def test_line_says_that_it_sends_again_what_it_sent_before(bench):
    await bench.subscribe("line")
    bench.heard.status = 500
    await bench.says("line")
    await bench.later(10)
    events = [json.loads(body)["events"][0] for body in bench.heard.bodies()]
    assert [one["deliveryContext"]["isRedelivery"] for one in events] == [False, True]
    assert events[0]["webhookEventId"] == events[1]["webhookEventId"]


async def test_pushes_that_shopee_lost_can_be_asked_for_until_they_are_confirmed(bench):
    shop = await bench.subscribe("shopee")
    bench.heard.status = 500
    (lost,) = await bench.says("shopee", "lost")
    for _ in range(3):
        await bench.later(3)
    key = shop.ids["partner_key"]

    async def asked(method, path, **more):
        from emulator.platforms.contract import hmac_hex  # noqa: PLC0415 # only here

        stamp = str(bench.stage.clock.wall() // 1000)
        sign = hmac_hex(key, f"{shop.ids['partner_id']}{path}{stamp}".encode())
        query = {"partner_id": shop.ids["partner_id"], "timestamp": stamp, "sign": sign}
        return (await bench.client.request(method, f"/shopee{path}", params=query, **more)).json()["response"]

    told = await asked("GET", "/api/v2/push/get_lost_push_message")
    (push,) = told["push_message_list"]
    assert json.loads(push["data"])["data"]["content"]["message_id"] == lost["id"]
    confirmed = {"last_message_id": told["last_message_id"]}
    await asked("POST", "/api/v2/push/confirm_consumed_lost_push_message", json=confirmed)
    assert (await asked("GET", "/api/v2/push/get_lost_push_message"))["push_message_list"] == []
