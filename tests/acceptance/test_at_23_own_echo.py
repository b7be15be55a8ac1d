"""AT-23: the answer to a sending is lost, and the platform shows our own reply as a message."""

from tests.acceptance.deployment import until


def test_the_echo_of_a_reply_whose_answer_was_lost_is_that_reply(shop_of):
    """The echo is known by its conversation, its words and its time; the reply has the platform's id from then on.

    It is no customer's message, so no clock of answers runs for it; nothing is sent a second time.
    """
    shop = shop_of("tiktok")
    (asked,) = shop.says("Do you have it in blue?")
    until(lambda: shop.has(asked["id"]), shop.deliveries)
    shop.fault("lost_answer", left=1)
    shop.fault("double")
    own = shop.reply(asked["conversation"], "Yes, in light and in dark blue.", "blue").json()["message"]
    until(lambda: shop.outbox()[own]["state"] == "sent", shop.outbox)
    (echo,) = shop.held("out")
    assert shop.outbox()[own]["platform_message"] == echo["id"]
    assert shop.outbox()[own]["attempts"] == 1
    until(shop.delivered, shop.deliveries)
    until(shop.balances, shop.ledger)
    rows = shop.messages(asked["conversation"])
    assert [(row["message"], row["direction"], row["sender_role"]) for row in rows] == [
        (asked["id"], "in", "customer"),
        (own, "out", "agent"),
    ]
    (conversation,) = shop.conversations()
    assert (conversation["messages"], conversation["last_direction"]) == (2, "out")
    assert conversation["sla"] is None
    until(lambda: "accepted" in shop.messages(asked["conversation"])[1]["hops"], shop.rows)
    assert shop.anomalies("loss") == []
