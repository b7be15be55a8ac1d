"""AT-09: one item that cannot be read spoils none of its neighbours."""

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_status, whatsapp_text


def test_a_bad_item_between_good_ones_is_rejected_alone(shop_of):
    """A request with a message, a receipt without what it is about, and a message.

    POISON is a rejection: counted in the ledger, kept in the log with its bytes and its reason; the request is answered
    200. A receipt of a kind nobody knows tells nothing, and harms nothing either.
    """
    shop = shop_of("whatsapp")
    (known,) = shop.says("hello")
    person = known["conversation"]
    broken = whatsapp_status(person, "wamid.x", "delivered") | {"recipient_id": None}
    unknown = whatsapp_status(person, "wamid.y", "levitated")
    for_all = {
        "messages": [whatsapp_text(person, "wamid.first", "first"), whatsapp_text(person, "wamid.last", "last")],
        "statuses": [broken, unknown],
    }
    answer = shop.post(whatsapp(shop, **for_all))
    assert answer.status_code == 200
    until(lambda: shop.has(known["id"], "wamid.first", "wamid.last"), shop.rows)
    until(lambda: shop.ledger()["rejected"] == 1, shop.ledger)
    (refused,) = shop.refusals()
    assert "recipient_id" in refused["reason"]
    assert "wamid.x" in refused["raw"]


def test_a_bad_message_between_good_ones_is_rejected_alone(shop_of):
    """The same where the bad one stands between them: it has no id."""
    shop = shop_of("whatsapp")
    (known,) = shop.says("hello")
    person = known["conversation"]
    told = [whatsapp_text(person, own, own) for own in ("wamid.one", "", "wamid.two")]
    shop.pushes(whatsapp(shop, messages=told).decode())
    until(shop.delivered, shop.deliveries)
    assert {one["state"] for one in shop.deliveries()} == {"done"}
    until(lambda: shop.has(known["id"], "wamid.one", "wamid.two"), shop.rows)
    until(lambda: shop.ledger()["rejected"] == 1, shop.ledger)
    assert len(shop.rows()) == 3
