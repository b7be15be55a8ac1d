"""Signatures of webhooks and requests, against vectors of the platforms' pages and of public software."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import Request

from emulator.platforms.contract import Call, Refusal
from emulator.pushes import Happening

HAPPENING = Happening(id=1, kind="raw", shop="", at=0)
WHATSAPP = (
    b'{"object":"whatsapp_business_account","entry":[{"id":"264937493375603","changes":[{"value":{"messaging_product":'
    b'"whatsapp","metadata":{"display_phone_number":"15550953877","phone_number_id":"277321005464405"},"contacts":[{'
    b'"profile":{"name":"PyWa Tests"},"wa_id":"972544401243"}],"messages":[{"from":"972544401243","id":"wamid.HBgMOTcy'
    b'NTQ0NDAxMjQzFQIAEhggM0RFQTNCMEEwRTY3QzUwODYzMDc4NjQ4QzM4ODAxM0YA","timestamp":"1730231903","text":{"body":"Hey '
    b'there! I am using PyWa."},"type":"text"}]},"field":"messages"}]}]}'
)
TIKTOK = (
    b'{"type":1,"shop_id":"7494726673780148744","timestamp":1664095733,"data":{"order_id":"576684019603311365",'
    b'"order_status":"AWAITING_SHIPMENT","update_time":1664095610}}'
)
PUSHES = (
    (
        "shopee",
        {"push_key": "push_key"},
        "https://inbox.example/hooks/shopee",
        b'{"code":10,"shop_id":1,"timestamp":1700000000,"data":{}}',
        "Authorization",
        "a95ac1e6a4cfc4f15febf37d1d52b93ddd9bdcc2373e3de521648a8820ba8fc0",
    ),
    (
        "shopee",
        {"push_key": "42"},
        "https://partner.shopeemobile.com/api/v1/orders/detail",
        b'{"partner_id":1,"shopid":61299,"timestamp":1470198856,"ordersn":"160726152598865"}',
        "Authorization",
        "7f8239f14aa84c8ff59c61c4b728e08a44f5ff756064da74678b2f5162ac9116",
    ),
    (
        "lazada",
        {"app_key": "123456", "app_secret": "app_secret"},
        "",
        b'{"seller_id":"1","message_type":2,"data":{}}',
        "Authorization",
        "82fcdfc145480436a360492f786d0758b594f474a799a273a8e6d0532558fa63",
    ),
    (
        "tiktok",
        {"app_key": "fake_app_key", "app_secret": "fake_app_secret"},
        "",
        TIKTOK,
        "Authorization",
        "21109834de72ec53c9959716d8514ae388ce1f123e5ffdcafc46713fcdf62b27",
    ),
    (
        "whatsapp",
        {"app_secret": "1222e786b144d0e85b9f365372d93676"},
        "",
        WHATSAPP,
        "X-Hub-Signature-256",
        "sha256=54edfa1d7259e0eb13c677cc7d73d1b5c86cfa12433d19156e058ab9251bc441",
    ),
    (
        "messenger",
        {"app_secret": "It's a Secret to Everybody"},
        "",
        b"Hello, World!",
        "X-Hub-Signature-256",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
    (
        "line",
        {"channel_secret": "channel_secret"},
        "",
        b"bodybodybodybody",
        "X-Line-Signature",
        "/gg9a+LvFevTH1sd7XCQycD7tsWclCsInj7MhBHxN7k=",
    ),
    (
        "shopify",
        {"client_secret": "hush"},
        "",
        b'{"id":123,"email":"a@example.com"}',
        "X-Shopify-Hmac-Sha256",
        "uff+cfH6RKLNgzVHI2ttK0bVZG5f59eO+Ez5nnOXKjo=",
    ),
    (
        "woocommerce",
        {"webhook_secret": "woo_secret"},
        "",
        b'{"id":123,"status":"processing"}',
        "X-WC-Webhook-Signature",
        "UyqdfIBBNFokgigVTFq/fX7Wvs8gwS5pNQ6gNNwZ7LY=",
    ),
)


@pytest.mark.parametrize(("platform", "ids", "url", "body", "header", "genuine"), PUSHES)
async def test_a_webhook_is_signed_as_documented(bench, platform, ids, url, body, header, genuine):
    shop = bench.shop(platform)
    shop.ids.update(ids)
    assert bench.stage.platforms[platform].signed(shop, HAPPENING, url, body)[header] == genuine


def called(method, path, query, body=b"", headers=()):
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "server": ("emulator.example", 80),
        "scheme": "http",
    }
    return Call(http=Request(scope), path=path, body=body, query=list(query.items()), wall=int(query["wall"]))


def requested(method, path, wall, query, body=b"", **headers):
    found = called(method, path, {**query, "wall": str(wall)}, body, headers.items())
    return Call(http=found.http, path=path, body=body, query=list(query.items()), wall=wall)


REQUESTS = (
    (
        "shopee",
        {"partner_id": "1000001", "partner_key": "test_partner_key", "shop_id": "200002"},
        "tok_abc",
        requested(
            "POST",
            "/api/v2/sellerchat/send_message",
            1_700_000_000_000,
            {
                "partner_id": "1000001",
                "timestamp": "1700000000",
                "access_token": "tok_abc",
                "shop_id": "200002",
                "sign": "45d5d55c1d2a3b7a2bb027f37848bab8e28cf4979227635854fecf880c26c8d4",
            },
        ),
    ),
    (
        "lazada",
        {"app_key": "123456", "app_secret": "helloworld"},
        "test",
        requested(
            "GET",
            "/rest/order/get",
            1_517_820_392_000,
            {
                "access_token": "test",
                "app_key": "123456",
                "order_id": "1234",
                "sign_method": "sha256",
                "timestamp": "1517820392000",
                "sign": "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A",
            },
        ),
    ),
    (
        "tiktok",
        {"app_key": "k1", "app_secret": "app_secret", "shop_cipher": "c1"},
        "token",
        requested(
            "POST",
            "/customer_service/202309/conversations/1/messages",
            1_700_000_000_000,
            {
                "app_key": "k1",
                "shop_cipher": "c1",
                "timestamp": "1700000000",
                "sign": "3c73c006b9e62805d00854b1d3882c51bb2d4f09d101ccc9979538467137a0d8",
            },
            b'{"type":"TEXT","content":"{\\"content\\":\\"hi\\"}"}',
            **{"x-tts-access-token": "token"},
        ),
    ),
    (
        "aliexpress",
        {"app_key": "1", "app_secret": "s3cr3t"},
        "t",
        requested(
            "GET",
            "/sync",
            1_700_000_000_000,
            {
                "access_token": "t",
                "app_key": "1",
                "method": "aliexpress.x",
                "sign_method": "sha256",
                "timestamp": "1700000000000",
                "sign": "B62DAABE7E09EC94497525F3D06E461B80ECD6D998A0F8229846612322566DFB",
            },
        ),
    ),
)


@pytest.mark.parametrize(("platform", "ids", "token", "call"), REQUESTS, ids=[one[0] for one in REQUESTS])
async def test_a_request_signed_as_documented_is_let_in_and_no_other(bench, platform, ids, token, call):
    shop, kind = bench.shop(platform), bench.stage.platforms[platform]
    shop.ids.update(ids)
    shop.account = ids.get("shop_id", shop.account)
    shop.token.access = token
    assert kind.caller(call) is shop
    call.query = [(name, value[:-1] + "0" if name == "sign" else value) for name, value in call.query]
    call.query = [(name, "x" + value[1:] if name == "sign" else value) for name, value in call.query]
    with pytest.raises(Refusal):
        kind.caller(call)


async def test_a_notification_of_ebay_is_proved_by_the_key_it_names(bench):
    shop = await bench.subscribe("ebay")
    await bench.says("ebay")
    request = bench.heard.requests[-1]
    claim = json.loads(base64.b64decode(request.headers["x-ebay-signature"]))
    basic = base64.b64encode(f"{shop.ids['client_id']}:{shop.ids['client_secret']}".encode()).decode()
    granted = await bench.client.post(
        "/ebay/identity/v1/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {basic}"},
    )
    told = await bench.client.get(
        f"/ebay/commerce/notification/v1/public_key/{claim['kid']}",
        headers={"Authorization": f"Bearer {granted.json()['access_token']}"},
    )
    pem = told.json()["key"].replace("KEY-----", "KEY-----\n", 1).replace("-----END", "\n-----END")
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(claim["signature"]), request.content, ec.ECDSA(hashes.SHA1()))  # noqa: S303


async def test_ebays_challenge_is_only_answered_by_the_hash_of_code_token_and_address(bench):
    shop = bench.shop("ebay")
    shop.ids["verification_token"] = "71745723-d031-455c-bfa5-f90d11b4f20a"
    greeting = bench.stage.platforms["ebay"].greeting(shop, "http://www.testendpoint.com/webhook")
    genuine = "048de9ffd0e35021fefc0388d5c52e0f475324f582f3778ca81a53354ccbbc97"
    assert greeting.proves(200, json.dumps({"challengeResponse": genuine}).encode())
    assert not greeting.proves(200, hashlib.sha256(b"").hexdigest().encode())


async def test_shopifys_redirect_is_signed_by_every_parameter(bench):
    shop = bench.shop("shopify")
    asked = {"client_id": shop.ids["client_id"], "redirect_uri": "https://weir.example/back", "state": "s1"}
    answer = await bench.client.get("/shopify/admin/oauth/authorize", params=asked)
    query = dict(answer.next_request.url.params)
    claimed = query.pop("hmac")
    signed = "&".join(f"{name}={query[name]}" for name in sorted(query))
    genuine = hmac.new(shop.ids["client_secret"].encode(), signed.encode(), "sha256").hexdigest()
    assert (answer.status_code, claimed, query["state"]) == (302, genuine, "s1")
