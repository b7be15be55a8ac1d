"""AT-08: nothing is marked as known before it is safe, and each message counts by its own id."""

import os
import signal

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_text


def attempts(shop, message):
    return [attempt for one in shop.deliveries() if one["message"] == message["id"] for attempt in one["attempts"]]


def test_a_webhook_whose_answer_was_lost_is_stored_exactly_once(shop_of):
    """Weir stands still, so that the platform gets no answer and sends again: what was taken in may come twice.

    The journal is the log: whichever of the attempts got into it, one row is stored, others are duplicates.
    """
    shop = shop_of("lazada")
    (first,) = shop.says("the first")
    until(lambda: shop.has(first["id"]), shop.deliveries)
    pid = shop.deployment.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        (lost,) = shop.says("asked while nobody answers", conversation=first["conversation"])
        until(lambda: attempts(shop, lost), shop.deliveries)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [one["status"] for one in attempts(shop, lost)] == [None]
    shop.deployment.emulator.put("/_emulator/clock", json={"ahead": 1_900_000}).raise_for_status()
    until(shop.delivered, shop.deliveries)
    shop.deployment.emulator.put("/_emulator/clock", json={"offset": 0}).raise_for_status()
    assert [one["status"] for one in attempts(shop, lost)] == [None, 200]
    until(lambda: shop.has(first["id"], lost["id"]), shop.rows)
    assert len(shop.rows()) == len(shop.held()) == 2


def test_messages_of_one_request_are_told_apart_by_their_own_ids(shop_of):
    """Three messages in one request that is sent three times: three are stored, six are duplicates."""
    shop = shop_of("whatsapp")
    (real,) = shop.says("in a request of its own")
    until(lambda: shop.has(real["id"]), shop.deliveries)
    ids = [f"wamid.{shop.account}.{number}" for number in range(3)]
    body = whatsapp(shop, messages=[whatsapp_text(real["conversation"], own, f"line of {own}") for own in ids])
    for _ in range(3):
        assert shop.post(body, headers={**shop.signed(body), "X-Request-ID": "one-and-the-same"}).status_code == 200
    until(lambda: shop.ledger()["duplicates"] == 6, shop.ledger)
    assert shop.has(real["id"], *ids)
    assert len(shop.rows()) == 4
