"""AT-25: what becomes of a message of ours is told in any order, and ends the same."""

from itertools import permutations

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_echo, whatsapp_status

TOLD = ("sent", "delivered", "read", "failed", "sent, late")
ERROR = (131026, "Message undeliverable")
FATES = ("accepted", "delivered", "read", "failed")


def status(person, own, word):
    word = word.partition(",")[0]
    return whatsapp_status(person, own, word, ERROR if word == "failed" else None)


def test_all_orders_of_the_same_receipts_end_in_the_same_state(shop_of):
    """Each of the 120 orders is that of one message; the receipts at one place of all orders come in one webhook.

    The state is the set of hops a message has reached; proof that it got through wins: an anomaly (`loss`, outbound)
    that a failure opened is resolved as `delivered`, and none opens after such proof. The failure stays among the hops,
    and the row says that the two are in conflict.
    """
    shop = shop_of("whatsapp")
    (asked,) = shop.says("hello")
    person = asked["conversation"]
    orders = {f"wamid.order.{number}": order for number, order in enumerate(permutations(TOLD))}
    echoes = [whatsapp_echo(person, own, f"answer {own}") for own in orders]
    assert shop.post(whatsapp(shop, message_echoes=echoes)).status_code == 200
    for place in range(len(TOLD)):
        statuses = [status(person, own, order[place]) for own, order in orders.items()]
        assert shop.post(whatsapp(shop, statuses=statuses)).status_code == 200
    # the message, the echoes with their `accepted`, the receipts
    whole = 1 + len(orders) * (2 + len(TOLD))
    until(lambda: shop.ledger()["accepted"] == whole and shop.balances(), shop.ledger)
    rows = [row for row in shop.rows() if row["message"] in orders]
    assert len(rows) == len(orders) == 120
    assert {tuple(fate for fate in FATES if fate in row["hops"]) for row in rows} == {FATES}
    assert {(row["fate"], row["conflict"]) for row in rows} == {("read", True)}
    early = {
        own for own, order in orders.items() if order.index("failed") < min(map(order.index, ("delivered", "read")))
    }
    losses = shop.anomalies("loss")
    assert {one["message"] for one in losses} == early
    assert {(one["status"], one["resolution"]) for one in losses} == {("resolved", "delivered")}


def test_a_late_receipt_of_having_been_sent_does_not_clear_a_failure(shop_of):
    """Without proof that it got through the failure holds, whichever came first."""
    shop = shop_of("whatsapp")
    (asked,) = shop.says("hello")
    person = asked["conversation"]
    orders = {"wamid.failed-last": ("sent", "failed"), "wamid.failed-first": ("failed", "sent")}
    echoes = [whatsapp_echo(person, own, f"answer {own}") for own in orders]
    assert shop.post(whatsapp(shop, message_echoes=echoes)).status_code == 200
    for place in range(2):
        statuses = [status(person, own, order[place]) for own, order in orders.items()]
        assert shop.post(whatsapp(shop, statuses=statuses)).status_code == 200
    until(lambda: len(shop.anomalies("loss", status="open")) == 2, shop.anomalies)
    assert {one["message"] for one in shop.anomalies("loss")} == set(orders)
    assert {one["evidence"]["code"] for one in shop.anomalies("loss")} == {str(ERROR[0])}
