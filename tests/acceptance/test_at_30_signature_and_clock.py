"""AT-30: what is not signed by the platform, byte for byte and in time, is not taken in."""

import base64
import hashlib
import hmac
import json
import time

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_text

SECRET = base64.b64encode(b"acceptance of webhooks, 32 bytes").decode()
TOLERANCE_S = 300


def stamped(body, sent_at, own="msg_1", secret=SECRET):
    """The headers of Standard Webhooks."""
    signed = f"{own}.{sent_at}.".encode() + body
    signature = base64.b64encode(hmac.digest(base64.b64decode(secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": own, "webhook-timestamp": str(sent_at), "webhook-signature": f"v1,{signature}"}


def test_only_the_very_bytes_that_were_signed_are_accepted(shop_of):
    """Refused with 401 and nothing of it stored: what was written anew in another order, another key, another byte.

    A genuine request that comes again is no forgery where its platform signs no time: it is a duplicate.
    """
    shop = shop_of("whatsapp")
    body = whatsapp(shop, messages=[whatsapp_text("5511900000001", "wamid.genuine", "hello")])
    genuine = shop.signed(body)
    rewritten = json.dumps(json.loads(body), sort_keys=True).encode()
    assert rewritten != body
    other_key = {"X-Hub-Signature-256": "sha256=" + hmac.new(b"another", body, hashlib.sha256).hexdigest()}
    refused = [(rewritten, genuine), (body, other_key), (body[:-1] + b" ", genuine), (body, {})]
    for sent, headers in refused:
        assert shop.post(sent, headers).status_code == 401
    assert shop.post(body).status_code == 200
    assert shop.post(body).status_code == 200
    until(lambda: shop.ledger()["accepted"] == 2 and shop.balances(), shop.ledger)
    assert (shop.ledger()["stored"], shop.ledger()["duplicates"]) == (1, 1)
    assert [row["message"] for row in shop.rows()] == ["wamid.genuine"]
    assert [one["kind"] for one in shop.anomalies()] == ["duplicate"]


def test_many_refused_requests_are_told_of_and_a_genuine_one_ends_it(shop_of):
    """AUTH is a critical `channel_silent` whose evidence says that signatures fail; more than five within a minute."""
    shop = shop_of("whatsapp")
    body = whatsapp(shop, messages=[whatsapp_text("5511900000002", "wamid.after", "hello")])
    forged = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
    for _ in range(5):
        assert shop.post(body, forged).status_code == 401
    assert shop.anomalies() == []
    for _ in range(3):
        assert shop.post(body, forged).status_code == 401
    until(shop.anomalies, shop.ledger)
    (told,) = shop.anomalies()
    assert (told["kind"], told["severity"], told["status"]) == ("channel_silent", "critical", "open")
    assert (told["evidence"]["cause"], told["evidence"]["reason"]) == ("auth", "signatures")
    assert shop.rows() == []
    assert shop.post(body).status_code == 200
    until(lambda: shop.anomalies(status="resolved"), shop.anomalies)
    assert shop.anomalies()[0]["resolution"] == "authorised"
    until(lambda: shop.has("wamid.after"), shop.rows)


def test_where_a_time_is_signed_it_must_be_fresh(deployment):
    """Of the platforms with connectors here the general webhook signs a time; five minutes are its tolerance."""
    weir = deployment.weir
    path = "/webhooks/webhook/at-30"
    bound = {"url": f"{weir.base_url}{path}", "settings": {"secret": f"whsec_{SECRET}"}}
    assert weir.put("/api/v1/bindings/webhook/at-30", json=bound).status_code == 200
    told = {"type": "message", "conversation": "c", "direction": "in", "text": "hello"}

    def post(own, sent_at, secret=SECRET):
        body = json.dumps(told | {"message": own, "sent_at": int(time.time() * 1000)}).encode()
        headers = stamped(body, sent_at, own, secret) | {"content-type": "application/json"}
        return weir.post(path, content=body, headers=headers).status_code

    now = int(time.time())
    assert post("late", now - TOLERANCE_S - 6) == 401
    assert post("early", now + TOLERANCE_S + 60) == 401
    assert post("wrong", now, base64.b64encode(b"another key of the same 32 bytes").decode()) == 401
    assert post("fresh", now) == 200

    def held():
        where = {"platform": "webhook", "account": "at-30"}
        return [row["messages"] for row in deployment.pages("/api/v1/conversations", **where)]

    assert until(held) == [1]
