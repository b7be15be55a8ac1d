"""AT-11: a request that is never answered ends, and asking goes on by itself."""

from tests.acceptance.deployment import until


def test_a_hanging_platform_is_given_up_asked_again_and_told_of_meanwhile(opened):
    """The platform of this shop left the very first request of this deployment without an answer.

    CHANNEL stands in the list of comparisons: since when a channel cannot be compared, and why, as long as that is so.
    The trouble ends with the next comparison that works; nobody restarts anything.
    """
    _, shop = opened
    until(lambda: shop.swept() and (shop.swept()["failing_since"] or shop.swept()["ended_at"]), shop.swept, 120)
    until(lambda: shop.swept()["ended_at"] and not shop.swept()["failing_since"], shop.swept, 180)
    assert shop.swept()["reason"] is None
    (first,) = shop.says("after the trouble")
    until(lambda: shop.has(first["id"]), shop.deliveries)
    assert shop.balances()
