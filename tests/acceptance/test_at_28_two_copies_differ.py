"""AT-28: the platform's copy and ours differ: one is missing, one was changed, one was recalled."""

from tests.acceptance.deployment import until

COUNT = 40
MISSING, CHANGED, RECALLED, ERASED = "5", "9", "12", "17"


def test_a_comparison_finds_what_is_missing_changed_and_recalled_and_both_agree_after_it(shop_of):
    """SYNC is the outcome of a comparison: what is missing is a `loss` that is resolved as `resynced`.

    Of what was changed or recalled every version is kept and no anomaly opens; nothing of ours is deleted. Counts are
    of what both hold: a recalled message is none of the platform's any more, whether it lists it as such or not at all.
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
    shop.recalls(written[ERASED]["id"], erase=True)

    found = shop.resync(at, at + COUNT + 1)
    assert (found["checked"], found["new"], found["before"], found["after"]) == (COUNT - 2, 1, COUNT - 3, COUNT - 2)
    assert (found["edited"], found["recalled"]) == (1, 2)
    until(lambda: len(shop.rows()) == COUNT, lambda: len(shop.rows()))

    def versions(number):
        (row,) = shop.message(written[number]["id"])
        return [(one["what"], one["text"]) for one in row["versions"]]

    until(lambda: versions(CHANGED) and versions(RECALLED) and versions(ERASED), shop.rows)
    assert versions(CHANGED) == [("sent", "as it was first"), ("edited", f"line {CHANGED}")]
    assert versions(RECALLED)[0] == ("sent", f"line {RECALLED}")
    assert versions(RECALLED)[-1][0] == "deleted"
    assert versions(ERASED)[0] == ("sent", f"line {ERASED}")
    assert versions(ERASED)[-1][0] == "deleted"
    assert versions(MISSING) == []
    until(lambda: shop.anomalies("loss", status="resolved"), shop.anomalies)
    (lost,) = shop.anomalies()
    assert (lost["kind"], lost["message"], lost["resolution"]) == ("loss", written[MISSING]["id"], "resynced")

    again = shop.resync(at - 1, at + COUNT + 1)
    assert (again["checked"], again["new"], again["before"], again["after"]) == (COUNT - 2, 0, COUNT - 2, COUNT - 2)
    assert (again["edited"], again["recalled"]) == (0, 0)
    until(shop.balances, shop.ledger)
    assert len(shop.anomalies()) == 1
