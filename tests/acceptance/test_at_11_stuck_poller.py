"""AT-11: a request that is never answered ends, and asking goes on by itself."""

from tests.acceptance.deployment import until


def failed(deployment):
    """How many comparisons could not be carried out."""
    lines = deployment.weir.get("/metrics").text.splitlines()
    told = [line for line in lines if line.startswith("weir_sweeps_total{") and '"failed"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in told)


def test_a_hanging_platform_is_given_up_asked_again_and_told_of_meanwhile(opened):
    """The platform of this shop left the very first requests of this deployment without an answer.

    CHANNEL stands in the list of comparisons: since when a channel cannot be compared, and why, as long as that is so;
    that it was so is counted. This test does not wait for the trouble: it began with the deployment.
    The trouble ends with the next comparison that works; nobody restarts anything.
    """
    deployment, shop = opened
    until(lambda: shop.swept() and (shop.swept()["failing_since"] or shop.swept()["ended_at"]), shop.swept, 120)
    until(lambda: shop.swept()["ended_at"] and not shop.swept()["failing_since"], shop.swept, 180)
    assert shop.swept()["reason"] is None
    assert deployment.emulator.get("/_emulator/state").json()["struck"]["timeout_before"] >= 1
    assert failed(deployment) >= 1
    (first,) = shop.says("after the trouble")
    until(lambda: shop.has(first["id"]), shop.deliveries)
    assert shop.balances()
