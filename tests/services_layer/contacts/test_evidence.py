"""Who may be the same person: what is suggested, with what evidence, and what is not."""

from msgspec.structs import replace

from services.contacts.evidence import TOO_COMMON
from tests.services_layer.contacts.conftest import ANN


async def test_one_who_writes_by_mail_and_bought_at_the_shop_under_that_address(shop):
    await shop.ordered(1001)
    mail = await shop.wrote("email", "Arun@example.com", name="Arun")
    chat = await shop.wrote("shopify", "cust-1", account="web", name="Arun L.")
    await shop.context(chat)
    assert await shop.reasons(mail) == [("shopify", ["same_email"])]
    [found] = (await shop.context(mail))["suggestions"]
    assert found["reasons"][0] == {"kind": "same_email", "strength": "strong", "value": "arun@example.com"}
    assert await shop.reasons(chat) == [("email", ["same_email"])]


async def test_the_same_number_however_it_is_written(shop):
    await shop.ordered(1001, phone="081-234-5678", email=None)
    whats = await shop.wrote("whatsapp", "66812345678")
    chat = await shop.wrote("shopify", "cust-1", account="web")
    await shop.context(chat)
    assert await shop.reasons(whats) == [("shopify", ["same_phone"])]


async def test_two_who_speak_of_one_known_order(shop):
    await shop.ordered(1001, contact="cust-9", email=None)
    line = await shop.wrote("line", "U1", order="1001", name="Arun Linh")
    ebay = await shop.wrote("ebay", "arun_l", order="#1001", name="arun linh")
    await shop.context(line)
    assert await shop.reasons(ebay) == [("line", ["same_order", "same_name"])]


async def test_an_order_placed_with_anothers_address(shop):
    await shop.ordered(1001)
    mail = await shop.wrote("email", "arun@example.com")
    await shop.context(mail)
    line = await shop.wrote("line", "U1", order="1001")
    assert await shop.reasons(line) == [("email", ["same_order"])]


async def test_an_order_number_that_no_shop_or_several_shops_know_is_no_evidence(shop):
    for identity in ("U1", "U2"):
        key = await shop.wrote("line", identity, order="777777")
        await shop.context(key)
    assert await shop.reasons(key) == []
    await shop.ordered(777777, contact=None, email=None)
    await shop.ordered(777777, contact=None, email=None, account="other")
    assert await shop.reasons(key) == []


async def test_a_number_is_several_shops_too_when_one_of_them_writes_it_with_a_sign(shop):
    await shop.ordered(1001, contact=None, email=None)
    plain = await shop.ordered(9, contact=None, email=None, platform="woocommerce")
    keys = [await shop.wrote("line", identity, order="1001") for identity in ("U1", "U2")]
    for key in keys:
        await shop.context(key)
    assert await shop.reasons(keys[0]) == [("line", ["same_order"])]
    await shop.store.put_orders([replace(plain, number="1001")])
    assert (await shop.context(keys[0]))["orders"] == []


async def test_a_number_that_only_stands_in_a_text_says_less(shop):
    await shop.ordered(1001)
    await shop.context(await shop.wrote("email", "arun@example.com"))
    line = await shop.wrote("line", "U1", text="where is #1001?")
    [found] = (await shop.context(line))["suggestions"]
    assert (found["strength"], found["reasons"][0]["kind"]) == ("medium", "same_order")


async def test_an_address_that_somebody_wrote_says_less_and_two_who_wrote_it_nothing(shop):
    mail = await shop.wrote("email", "arun@example.com")
    await shop.context(mail)
    first = await shop.wrote("line", "U1", text="my mail is arun@example.com")
    second = await shop.wrote("ebay", "u2", text="ask arun@example.com")
    for key in (first, second):
        await shop.context(key)
    assert await shop.reasons(first) == [("email", ["told_email"])]
    assert sorted(await shop.reasons(mail)) == [("ebay", ["told_email"]), ("line", ["told_email"])]


async def test_a_name_and_a_country_alone_are_never_suggested(shop):
    await shop.ordered(1, contact="U1", platform="line", account="shop", email=None)
    await shop.ordered(2, contact="u2", platform="ebay", account="shop", email=None)
    line = await shop.wrote("line", "U1", name="Arun Linh")
    await shop.context(await shop.wrote("ebay", "u2", name="Arun Linh"))
    assert await shop.reasons(line) == []


async def test_the_same_account_at_two_shops_of_a_platform_with_one_id_for_all(shop):
    first = await shop.wrote("ebay", "arun_l")
    await shop.context(await shop.wrote("ebay", "arun_l", account="second", conversation="other"))
    assert await shop.reasons(first) == [("ebay", ["same_account", "same_name"])]
    page = await shop.wrote("messenger", "psid-1")
    await shop.context(await shop.wrote("messenger", "psid-1", account="second", conversation="other"))
    assert await shop.reasons(page) == []


async def test_what_many_have_in_common_says_nothing(shop):
    keys = []
    for number in range(TOO_COMMON + 1):
        await shop.ordered(number, contact=f"c{number}", platform="line", account="shop", email="guest@example.com")
        keys.append(await shop.wrote("line", f"c{number}"))
    for key in keys:
        await shop.context(key)
    assert await shop.reasons(keys[0]) == []


async def test_nobody_is_told_of_a_customer_whom_he_may_not_see(shop):
    await shop.ordered(1001)
    mail = await shop.wrote("email", "arun@example.com")
    chat = await shop.wrote("shopify", "cust-1", account="web")
    await shop.context(chat)
    shop.hidden.add(("shopify", "web"))
    assert await shop.reasons(mail) == []


async def test_what_was_dismissed_stays_dismissed_for_all_that_are_merged_too(shop):
    await shop.ordered(1001)
    mail = await shop.wrote("email", "arun@example.com")
    chat = await shop.wrote("shopify", "cust-1", account="web")
    third = await shop.wrote("line", "U1", order="1001")
    for key in (chat, third):
        await shop.context(key)
    told = await shop.context(mail)
    ids = {one["contact"]["identities"][0]["platform"]: one["contact"]["id"] for one in told["suggestions"]}
    assert set(ids) == {"shopify", "line"}
    await shop.contacts.people.dismiss(told["contact"]["id"], ids["shopify"], who=ANN.name)
    assert [platform for platform, _ in await shop.reasons(mail)] == ["line"]
    assert "email" not in [platform for platform, _ in await shop.reasons(chat)]
    await shop.contacts.people.merge(told["contact"]["id"], ids["line"], who=ANN.name)
    assert await shop.reasons(mail) == []


async def test_one_whose_number_the_order_bears_and_one_who_only_names_the_order(shop):
    await shop.ordered(1001, phone="+5511987654321", email=None)
    whats = await shop.wrote("whatsapp", "5511987654321", text="is #1001 on its way?")
    line = await shop.wrote("line", "U1", text="where is #1001?")
    for key in (whats, line):
        await shop.context(key)
    assert await shop.reasons(line) == [("whatsapp", ["same_order"])]
    assert await shop.reasons(whats) == [("line", ["same_order"])]
    told = await shop.context(whats)
    assert (told["suggestions"][0]["strength"], told["orders_count"]) == ("medium", 1)
    await shop.wrote("line", "U1", text="thank you")
    assert await shop.reasons(whats) == [("line", ["same_order"])]
