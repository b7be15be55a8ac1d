"""AT-51 (c): two customers were merged wrongly and taken apart again; a reply goes to whom the conversation is with."""

from urllib.parse import quote

from tests.acceptance.deployment import until


def asked(shop, text):
    """Somebody writes at this shop; the conversation's id as Weir has it, and its context."""
    (said,) = shop.says(text)
    until(lambda: shop.has(said["id"]), shop.deliveries)
    return said["conversation"]


def context(shop, conversation):
    key = quote("/".join(quote(one, safe="") for one in (shop.platform, shop.account, conversation)), safe="")
    answer = shop.deployment.weir.get(f"/api/v1/conversations/{key}/context")
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(shop, contact, what, other):
    answer = shop.deployment.weir.post(f"/api/v1/contacts/{contact}/{what}", json={"contact": other})
    assert answer.status_code == 200, answer.text
    return answer.json()


def timeline(shop, contact):
    path = f"/api/v1/contacts/{contact}/timeline"
    return [(row["platform"], row["message"]) for row in shop.deployment.pages(path)]


def replied(shop, conversation, text):
    answer = shop.reply(conversation, text, f"K {text}")
    assert answer.status_code == 202, answer.text
    own = answer.json()["message"]
    until(lambda: shop.outbox()[own]["state"] == "sent", shop.outbox)


def test_replies_go_to_each_conversations_own_customer_while_merged_and_after(shop_of):
    """P writes on Telegram, Q on WhatsApp. Merged, replied, taken back, replied: each gets what was said to them alone.

    Both histories are as they were before the merge, with what was said since in the conversation it was said in.
    """
    p_shop, q_shop = shop_of("telegram"), shop_of("whatsapp")
    p, q = asked(p_shop, "Is it waterproof?"), asked(q_shop, "Where is my parcel?")
    p_before, q_before = context(p_shop, p), context(q_shop, q)
    p_contact, q_contact = p_before["contact"]["id"], q_before["contact"]["id"]
    assert p_contact != q_contact

    merged = told(p_shop, p_contact, "merge", q_contact)
    assert {one["contact"] for one in merged["identities"]} == {p_contact, q_contact}
    assert {platform for platform, _ in timeline(p_shop, p_contact)} == {"telegram", "whatsapp"}
    replied(q_shop, q, "It left yesterday.")
    replied(p_shop, p, "Yes, to ten metres.")

    (removable,) = [one["contact"] for one in merged["identities"] if one["removable"]]
    told(p_shop, p_contact, "unmerge", removable)
    replied(q_shop, q, "It arrives tomorrow.")
    assert [one["text"] for one in q_shop.held("out")] == ["It left yesterday.", "It arrives tomorrow."]
    assert [one["text"] for one in p_shop.held("out")] == ["Yes, to ten metres."]
    assert {one["conversation"] for one in q_shop.held("out")} == {q}

    for shop, conversation, before in ((p_shop, p, p_before), (q_shop, q, q_before)):
        after = context(shop, conversation)
        assert after["contact"]["id"] == before["contact"]["id"]
        for name in ("identities", "tags", "suggestions"):
            assert [one | {"seen_at": ""} if isinstance(one, dict) else one for one in after[name]] == [
                one | {"seen_at": ""} if isinstance(one, dict) else one for one in before[name]
            ]
        assert [span["key"] for span in after["history"]["items"]] == [
            span["key"] for span in before["history"]["items"]
        ]
        assert {platform for platform, _ in timeline(shop, after["contact"]["id"])} == {shop.platform}
