"""AT-17: the same message delivered again, by another request or under another name of its sender."""

from urllib.parse import quote

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_echo, whatsapp_status, whatsapp_text

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


def test_a_message_delivered_under_another_name_of_its_sender_is_one_message(shop_of):
    """First with the phone number and the user id of its sender, then with the user id alone, then by another request.

    One message in one conversation, whose customer has both names; every delivery is told with the name it came under.
    """
    shop = shop_of("whatsapp")
    both = whatsapp_text(PERSON, "wamid.M1", "is it in stock?", from_user_id=USER)
    hidden = {name: value for name, value in both.items() if name != "from"}
    first, second = (
        whatsapp(shop, messages=[said], contacts=contacts)
        for said, contacts in ((both, names(PERSON, USER)), (hidden, names(user=USER)))
    )
    for body, request in ((first, "one"), (second, "two"), (second, "three")):
        assert shop.post(body, headers={**shop.signed(body), "X-Request-ID": request}).status_code == 200
    until(lambda: shop.ledger()["accepted"] == 3 and shop.balances(), shop.ledger)
    assert (shop.ledger()["stored"], shop.ledger()["duplicates"]) == (1, 2)
    (conversation,) = shop.conversations()
    (row,) = shop.rows()
    assert (conversation["contact_id"], row["message"], row["copies"]) == (PERSON, "wamid.M1", 2)
    (twice,) = shop.anomalies()
    assert (twice["kind"], twice["resolution"], twice["severity"]) == ("duplicate", "merged", "info")
    assert (twice["evidence"]["copies"], twice["evidence"]["differs"]) == (2, False)
    key = quote(conversation["key"], safe="")
    aliases = shop.deployment.weir.get(f"/api/v1/conversations/{key}/identities").json()["items"]
    assert [(one["id"], one["canonical"]) for one in aliases] == [(PERSON, True), (USER, False)]
    trace = shop.deployment.weir.get(f"/api/v1/messages/{key}/wamid.M1/trace").json()
    assert [one["sender_id"] for one in trace["deliveries"]] == [PERSON, USER, USER]
    assert trace["deliveries_complete"]


def test_what_is_written_after_the_number_is_hidden_goes_on_in_the_same_conversation(shop_of):
    """Answers and what becomes of them, too."""
    shop = shop_of("whatsapp")
    said = whatsapp_text(PERSON, "wamid.M1", "is it in stock?", from_user_id=USER)
    assert shop.post(whatsapp(shop, messages=[said], contacts=names(PERSON, USER))).status_code == 200
    until(shop.rows, shop.state)
    answer = whatsapp_echo(USER, "wamid.A1", "it is")
    answer["to_user_id"] = answer.pop("to")
    later = {name: value for name, value in said.items() if name != "from"} | {
        "id": "wamid.M2",
        "text": {"body": "and in red?"},
    }
    status = whatsapp_status(USER, "wamid.A1", "read")
    status["recipient_user_id"] = status.pop("recipient_id")
    for value in ({"message_echoes": [answer]}, {"statuses": [status]}, {"messages": [later]}):
        assert shop.post(whatsapp(shop, **value)).status_code == 200
    until(lambda: shop.has("wamid.M1", "wamid.A1", "wamid.M2"), shop.rows)
    assert len(shop.conversations()) == 1
    until(lambda: "read" in shop.message("wamid.A1")[0]["hops"], shop.rows)
