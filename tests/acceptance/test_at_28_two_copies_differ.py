"""AT-28: the platform's copy and ours differ: one is missing, one was changed, one was recalled."""

from tests.acceptance.deployment import until

COUNT = 40
MISSING, CHANGED, RECALLED = "5", "9", "12"


def test_a_comparison_finds_what_is_missing_changed_and_recalled_and_both_agree_after_it(shop_of):
    """SYNC is the outcome of a comparison: what is missing is a `loss` that is resolved as `resynced`.

    Of what was changed or recalled every version is kept and no anomaly opens; nothing of ours is deleted. Counts are
    of what both hold: a recalled message is none of the platform's any more.
    """
    shop = shop_of("lazada")
    at = shop.aged() - COUNT
    written = {}
    for number in range(1, COUNT + 1):
        text = str(number)
        if text in {MISSING, CHANGED}:
            shop.fault("drop", left=1)
        conversation = written["1"]["conversation"] if written else None
        (written[text],) = shop.says(f"line {text}", conversation=conversation, at=at + number)
    before = {
        "type": "message",
        "platform": shop.platform,
        "account": shop.account,
        "conversation": written[CHANGED]["conversation"],
        "message": written[CHANGED]["id"],
        "sent_at": written[CHANGED]["at"],
        "direction": "in",
        "text": "as it was first",
    }
    assert shop.deployment.weir.post("/api/v1/events", json=[before]).status_code == 202
    until(lambda: len(shop.rows()) == COUNT - 1, lambda: len(shop.rows()))
    shop.fault("drop", left=1)
    shop.recalls(written[RECALLED]["id"])
    assert shop.deliveries("dropped")[-1]["kind"] == "recall"

    found = shop.resync(at, at + COUNT + 1)
    assert (found["checked"], found["new"], found["before"], found["after"]) == (COUNT - 1, 1, COUNT - 2, COUNT - 1)
    until(lambda: len(shop.rows()) == COUNT, lambda: len(shop.rows()))

    def versions(number):
        (row,) = shop.message(written[number]["id"])
        return [(one["what"], one["text"]) for one in row["versions"]]

    until(lambda: versions(CHANGED) and versions(RECALLED), shop.rows)
    assert versions(CHANGED) == [("sent", "as it was first"), ("edited", f"line {CHANGED}")]
    assert versions(RECALLED)[0] == ("sent", f"line {RECALLED}")
    assert versions(RECALLED)[-1][0] == "deleted"
    assert versions(MISSING) == []
    until(lambda: shop.anomalies("loss", status="resolved"), shop.anomalies)
    (lost,) = shop.anomalies()
    assert (lost["kind"], lost["message"], lost["resolution"]) == ("loss", written[MISSING]["id"], "resynced")

    again = shop.resync(at - 1, at + COUNT + 1)
    assert (again["checked"], again["new"], again["before"], again["after"]) == (COUNT - 1, 0, COUNT - 1, COUNT - 1)
    until(shop.balances, shop.ledger)
    assert len(shop.anomalies()) == 1
