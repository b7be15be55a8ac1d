"""AT-17: the same message delivered again, by another request or under another name of its sender."""

import pytest

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_text

PERSON, USER = "5511987654321", "BR.13491208655302741918"


def names(person=None, user=None):
    return [{"profile": {"name": "Ana"}} | ({"wa_id": person} if person else {}) | ({"user_id": user} if user else {})]


def test_a_message_delivered_under_other_request_ids_is_one_message(shop_of):
    """DUP is a `duplicate` anomaly, merged at once; its evidence counts the copies, the ledger every delivery."""
    shop = shop_of("whatsapp")
    said = whatsapp_text(PERSON, "wamid.M1", "is it in stock?", from_user_id=USER)
    body = whatsapp(shop, messages=[said], contacts=names(PERSON, USER))
    for request in ("one", "two", "three"):
        assert shop.post(body, headers={**shop.signed(body), "X-Request-ID": request}).status_code == 200
    until(lambda: shop.ledger()["accepted"] == 3 and shop.balances(), shop.ledger)
    assert (shop.ledger()["stored"], shop.ledger()["duplicates"]) == (1, 2)
    (row,) = shop.rows()
    assert (row["message"], row["copies"], row["extra"]["user_id"]) == ("wamid.M1", 2, USER)
    (twice,) = shop.anomalies()
    assert (twice["kind"], twice["resolution"], twice["severity"]) == ("duplicate", "merged", "info")
    assert twice["evidence"]["copies"] == 2


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="a message is known by its id within its conversation, and a person by one name: what comes without the"
    " phone number is a conversation of its own until identities are linked to one contact",
)
def test_a_message_delivered_under_another_name_of_its_sender_is_one_message(shop_of):
    """First with the phone number and the user id of its sender, then with the user id alone."""
    shop = shop_of("whatsapp")
    both = whatsapp_text(PERSON, "wamid.M1", "is it in stock?", from_user_id=USER)
    hidden = {name: value for name, value in both.items() if name != "from"}
    for said, contacts in ((both, names(PERSON, USER)), (hidden, names(user=USER))):
        assert shop.post(whatsapp(shop, messages=[said], contacts=contacts)).status_code == 200
    until(lambda: shop.ledger()["accepted"] == 2 and shop.balances(), shop.ledger)
    assert len(shop.conversations()) == 1
