"""AT-18: a reply whose answer was lost is asked for again, and reaches the customer once."""

from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.deployment import until

TEXT = "It leaves our warehouse today."


def test_one_key_is_one_reply_and_the_same_words_are_asked_about(shop_of):
    """The key is the header Idempotency-Key. The first requests come side by side, another after the reply is out.

    With another body under the same key: 409. The same words under another key within a minute: 409 with who sent them
    when; `again` sends them all the same.
    """
    shop = shop_of("tiktok")
    shop.set("duplicate.content_window_s=off")  # here the same words follow faster than a person can ask for them
    (asked,) = shop.says("When do you send it?")
    until(lambda: shop.has(asked["id"]), shop.deliveries)
    conversation = asked["conversation"]
    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(shop.reply, conversation, TEXT, "K") for _ in range(4)]
        answers = [one.result() for one in asking]
    assert {one.status_code for one in answers} == {202}
    (own,) = {one.json()["message"] for one in answers}
    until(lambda: shop.outbox()[own]["state"] == "sent", shop.outbox)
    late = shop.reply(conversation, TEXT, "K")
    assert (late.status_code, late.json()["message"]) == (202, own)
    assert shop.reply(conversation, "Something else.", "K").status_code == 409

    twin = shop.reply(conversation, TEXT, "L")
    assert twin.status_code == 409
    assert "identical reply was sent" in twin.json()["detail"]
    until(lambda: [one["text"] for one in shop.held("out")] == [TEXT], shop.held)
    assert set(shop.outbox()) == {own}

    sure = shop.reply(conversation, TEXT, "L", again=True)
    assert sure.status_code == 202
    until(lambda: shop.outbox()[sure.json()["message"]]["state"] == "sent", shop.outbox)
    assert [one["text"] for one in shop.held("out")] == [TEXT, TEXT]
    until(shop.delivered, shop.deliveries)
    until(shop.balances, shop.ledger)
    ours = [row["message"] for row in shop.messages(conversation) if row["direction"] == "out"]
    assert sorted(ours) == sorted([own, sure.json()["message"]])
