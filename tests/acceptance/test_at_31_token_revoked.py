"""AT-31: a token is revoked at one shop; another has troubles of its own, and its token is good."""

from urllib.parse import parse_qs, urlsplit

from tests.acceptance.deployment import until

WORDS = ("First answer.", "Second answer.", "Third answer.")


def authorised_anew(shop):
    """A person logs in at the platform again; it grants another token."""
    emulator, settings = shop.deployment.emulator, shop.told.settings
    asked = {"client_id": settings["app_id"], "redirect_uri": "http://127.0.0.1/back", "state": "s"}
    sent_back = emulator.get(f"/{shop.platform}/dialog/oauth", params=asked)
    code = parse_qs(urlsplit(sent_back.headers["location"]).query)["code"][0]
    told = {"client_id": settings["app_id"], "client_secret": settings["app_secret"], "code": code}
    granted = emulator.get(f"/{shop.platform}/oauth/access_token", params=told).json()["access_token"]
    assert granted != settings["access_token"]


def test_replies_wait_for_a_revoked_token_and_troubles_of_a_platform_revoke_nothing(shop_of):
    """AUTH is a critical `channel_silent` with the cause `auth`; a reply that waits for it is `queued` and `blocked`,
    and those after it in its conversation wait for their turn. What customers write is taken in all the while.

    After the channel is bound with the fresh token each reply goes out once. At the other shop the platform fails and
    does not answer: its replies are tried again or doubted, and nobody is asked to authorise anything.
    """
    shop, other = shop_of("whatsapp"), shop_of("telegram")
    asked = {one: one.says("hello")[0]["conversation"] for one in (shop, other)}
    until(lambda: shop.rows() and other.rows(), shop.deliveries)
    shop.fault("revoke_token")
    other.fault("broken", left=2)
    own = [shop.reply(asked[shop], text, text).json()["message"] for text in WORDS]
    first = other.reply(asked[other], "Sent in spite of errors.", "errors").json()["message"]

    until(shop.anomalies, shop.outbox)
    (lost,) = shop.anomalies()
    assert (lost["kind"], lost["severity"], lost["evidence"]["cause"]) == ("channel_silent", "critical", "auth")
    until(lambda: shop.outbox()[own[0]]["code"] == "blocked", shop.outbox)
    assert {row["state"] for row in shop.outbox().values()} == {"queued"}
    assert shop.held("out") == []
    (meanwhile,) = shop.says("Are you there?", conversation=asked[shop])
    until(lambda: shop.has(meanwhile["id"]), shop.deliveries)

    until(lambda: other.outbox()[first]["state"] in {"sent", "unknown"}, other.outbox)
    other.heal()
    other.fault("timeout_before", left=1, seconds=60)
    second = other.reply(asked[other], "Asked while nobody answers.", "silence").json()["message"]

    shop.heal()
    authorised_anew(shop)
    shop.bind()
    until(lambda: {row["state"] for row in shop.outbox().values()} == {"sent"}, shop.outbox, 90)
    assert sorted(one["text"] for one in shop.held("out")) == sorted(WORDS)
    assert set(shop.outbox()) == set(own)
    until(lambda: shop.anomalies(status="resolved"), shop.anomalies)
    assert shop.anomalies()[0]["resolution"] == "authorised"

    until(lambda: other.outbox()[second]["code"], other.outbox)
    assert other.outbox()[second]["state"] in {"queued", "unknown"}
    assert other.outbox()[second]["code"] in {"unreachable", "uncertain", "not_found"}
    assert other.anomalies("channel_silent") == []
