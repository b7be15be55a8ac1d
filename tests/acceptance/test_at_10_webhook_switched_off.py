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
