"""AT-26: what became of a reply is told before its sending was answered."""

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_status

LATE_S = 6
ERROR = (131047, "Re-engagement message")


def test_a_failure_that_is_told_before_the_id_finds_its_reply(shop_of):
    """The platform has the reply under its id while Weir does not know that id yet; the failure waits for it.

    Then the reply is lost, with the platform's reason (`loss`, outbound).
    """
    shop = shop_of("whatsapp")
    (asked,) = shop.says("hello")
    until(lambda: shop.has(asked["id"]), shop.deliveries)
    shop.fault("silent")
    shop.fault("late_answer", left=1, seconds=LATE_S)
    own = shop.reply(asked["conversation"], "Good morning!", "early").json()["message"]
    (sent,) = until(lambda: shop.held("out"), shop.outbox)
    assert shop.post(whatsapp(shop, statuses=[whatsapp_status(asked["conversation"], sent["id"], "failed", ERROR)]))
    assert shop.outbox()[own]["state"] == "claimed"
    until(lambda: shop.anomalies("loss"), shop.outbox)
    assert shop.outbox()[own]["platform_message"] == sent["id"]
    (lost,) = shop.anomalies("loss")
    assert (lost["message"], lost["status"]) == (own, "open")
    assert (lost["evidence"]["status"], lost["evidence"]["code"]) == ("failed", str(ERROR[0]))
    assert lost["evidence"]["reason"] == ERROR[1]
    assert [row["message"] for row in shop.messages(asked["conversation"])] == [asked["id"], own]
