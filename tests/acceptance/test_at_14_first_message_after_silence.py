"""AT-14: a message that nobody told of is found by comparing, and leaves a trace although it is back at once."""

from connectors.registry import BY_PLATFORM
from tests.acceptance.deployment import until


def test_a_single_lost_message_is_found_without_the_next_one(shop_of):
    """The first message after a long silence is lost on its way, and nothing follows it.

    LOSS is a `loss` anomaly whose evidence tells that a sweep found it; since the message is brought in by the same
    comparison it is resolved as `resynced`. Counts are those of the comparison: checked, new, duplicate. The comparison
    is asked for here; by itself it comes every 15 minutes, and notes the same counts.
    """
    assert BY_PLATFORM["tiktok"].pace.sweep_s <= 15 * 60
    shop = shop_of("tiktok")
    swept = until(lambda: (row := shop.swept()) and row["ended_at"] and row, shop.swept, 120)
    assert (swept["checked"], swept["new"], swept["duplicate"]) == (0, 0, 0)
    at = shop.aged()
    shop.fault("drop", left=1)
    (lost,) = shop.says("are you still there?", at=at)
    assert [one["state"] for one in shop.deliveries()] == ["dropped"]
    assert shop.rows() == []
    found = shop.resync(at - 1_000, at + 1_000)
    assert (found["checked"], found["new"], found["duplicate"]) == (1, 1, 0)
    assert (found["before"], found["after"]) == (0, 1)
    until(lambda: shop.has(lost["id"]))
    until(shop.anomalies, shop.rows)
    (anomaly,) = shop.anomalies()
    assert (anomaly["kind"], anomaly["message"], anomaly["severity"]) == ("loss", lost["id"], "critical")
    assert (anomaly["status"], anomaly["resolution"]) == ("resolved", "resynced")
    assert anomaly["evidence"]["found_by"] == "sweep"
    again = shop.resync(at - 2_000, at + 1_000)
    assert (again["checked"], again["new"], again["duplicate"]) == (1, 0, 1)
    assert len(shop.anomalies()) == 1
