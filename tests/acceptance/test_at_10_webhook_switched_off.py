"""AT-10: the platform switches our webhook off after slow answers, and goes on receiving."""

import os
import signal
import time

from tests.acceptance.deployment import now_ms, until

LEARNT = 60
MINUTES_LEFT_S = 90


def not_at_the_turn_of_an_hour():
    """The usual rate is that of the hour of the day; of an hour that has just begun nothing is known yet."""
    until(lambda: 3_600 - time.time() % 3_600 > MINUTES_LEFT_S, patience=MINUTES_LEFT_S + 30)


def test_a_webhook_that_was_switched_off_is_noticed_and_what_was_missed_is_brought_in(shop_of):
    """Weir stands still, the platform gets no answers in time and stops pushing; buyers go on writing.

    CHANNEL is a critical `channel_silent` with what was expected; the runbook is: register the webhook again, compare
    since the last message, look at the counts. Then all that was written is there, and the silence ends by `spoke`.
    """
    not_at_the_turn_of_an_hour()
    shop = shop_of("lazada")
    shop.set("silence.min_s=5", "silence.probability=0.01", "delay.threshold_s=600")
    written = shop.says("usual {n}", times=LEARNT)
    until(lambda: len(shop.rows()) == LEARNT, shop.state)
    since = now_ms()
    pid = shop.deployment.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        written += shop.says("while nobody answers {n}", times=20)
        until(lambda: not shop.state()["pushing"], shop.state)
        written += shop.says("after it was switched off {n}", times=10)
    finally:
        os.kill(pid, signal.SIGCONT)
    last = max(one["at"] for one in written)
    (silent,) = until(lambda: shop.anomalies("channel_silent", status="open"), shop.anomalies)
    assert silent["severity"] == "critical"
    assert silent["evidence"]["expected"] > 0
    assert shop.deliveries("kept")

    shop.register()
    found = shop.resync(since, last + 1)
    assert found["checked"] == 30
    assert found["new"] > 0
    assert found["after"] == 30
    until(lambda: shop.has(*(one["id"] for one in written)), lambda: len(shop.rows()))
    path = f"/api/v1/anomalies/{silent['id']}"
    ended = until(
        lambda: (one := shop.deployment.weir.get(path).json())["status"] == "resolved" and one, shop.anomalies
    )
    assert ended["resolution"] == "spoke"
    assert {one["resolution"] for one in shop.anomalies("loss")} == {"resynced"}


def test_a_platform_that_says_that_it_stopped_is_registered_again_and_everything_missed_is_fetched(shop_of):
    """The platform (Shopee) switches the pushes off and says so; buyers go on writing.

    The probe tells `disabled`; the runbook is: register again, compare since the last message, look at the counts.
    """
    shop = shop_of("shopee")
    written = shop.says("while all is well {n}", times=5)
    until(lambda: shop.has(*(one["id"] for one in written)), shop.state)
    assert shop.probe()["subscription"] == "active"
    shop.fault("suspend", left=1)
    written += shop.says("after it was switched off {n}", times=14)
    until(lambda: not shop.state()["pushing"], shop.state)
    told = shop.probe()
    assert (told["state"], told["subscription"]) == ("ok", "disabled")
    assert "suspended" in told["reason"]
    assert len(shop.rows()) == 5

    shop.register()
    assert shop.probe()["subscription"] == "active"
    # Shopee tells of seconds.
    since, end = min(one["at"] for one in written) // 1_000 * 1_000, max(one["at"] for one in written) + 1
    found = shop.resync(since, end)
    assert (found["checked"], found["after"]) == (19, 19)
    until(lambda: shop.has(*(one["id"] for one in written)), lambda: len(shop.rows()))
    until(lambda: len(shop.anomalies("loss", status="resolved")) == found["new"], shop.anomalies)
    assert {one["resolution"] for one in shop.anomalies("loss")} <= {"resynced"}
    written += shop.says("after it was registered again {n}", times=2)
    until(lambda: shop.has(*(one["id"] for one in written)), shop.state)
