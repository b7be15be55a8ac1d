"""Contacts are made as customers write and renewed as orders come."""

from services.contacts.registrar import OVERLAP_MS, PERIOD_MS, Registrar, order_job, walk_job
from storage.contact_records import ContactFilter
from storage.records import ConversationFilter
from tests.storage.flushes import NOW, everything


async def names(shop):
    return sorted(one.identity for one in (await shop.store.contacts(ContactFilter(), 500)).items)


async def begun(shop):
    shop.now.ms = NOW
    await shop.store.put_jobs([walk_job(NOW, 0)])


async def test_everybody_who_wrote_is_met_and_later_ones_at_the_next_round(shop):
    for number in range(700):
        await shop.wrote("line", f"U{number:03}")
    await begun(shop)
    await shop.registrar.step(NOW)
    everybody = await everything(lambda n, c: shop.store.contacts(ContactFilter(), n, c), 500)
    assert len(everybody) == 700
    assert (await shop.store.contacts(ContactFilter(text="U000"), 5)).items
    await shop.wrote("line", "V1")
    await shop.registrar.step(NOW + 1)
    assert (await shop.store.contacts(ContactFilter(text="V1"), 5)).items == []
    await shop.registrar.step(NOW + PERIOD_MS)
    assert (await shop.store.contacts(ContactFilter(text="V1"), 5)).items


async def test_a_round_reads_no_further_than_the_one_before(shop, monkeypatch):
    for number in range(60):
        await shop.wrote("line", f"U{number}")
    await begun(shop)
    await shop.registrar.step(NOW)
    met = []
    meet = shop.registrar.meet

    async def meeting(rows):
        met.extend(rows)
        await meet(rows)

    monkeypatch.setattr(shop.registrar, "meet", meeting)
    await shop.registrar.step(NOW + PERIOD_MS)
    assert 0 < len(met) <= OVERLAP_MS / 1000 + 1


async def test_whom_was_met_is_not_read_again_for_every_message(shop, monkeypatch):
    await shop.wrote("line", "U1")
    await begun(shop)
    await shop.registrar.step(NOW)
    learnt = []
    learn = shop.contacts.learning.learn

    async def learning(sightings):
        learnt.extend(one.identity for one in sightings)
        return await learn(sightings)

    another = Registrar(shop.store, shop.contacts.learning, shop.safe, shop.now)
    monkeypatch.setattr(shop.contacts.learning, "learn", learning)
    await shop.wrote("line", "U1")
    await shop.wrote("line", "U2")
    for registrar in (another, shop.registrar):
        await registrar.meet((await shop.store.conversations(ConversationFilter(), 5)).items)
    assert learnt == ["U2"]


async def test_who_died_under_way_leaves_the_round_to_another(shop):
    await shop.wrote("line", "U1")
    await begun(shop)
    await shop.store.claim_jobs("contact", NOW, NOW + 60_000, 5)
    await shop.registrar.step(NOW + 1)
    assert await names(shop) == []
    await shop.registrar.step(NOW + 60_000)
    assert await names(shop) == ["U1"]


async def test_an_order_renews_whom_it_names_and_whose_address_it_bears(shop):
    mail = await shop.wrote("email", "arun@example.com")
    chat = await shop.wrote("shopify", "cust-1", account="web")
    for key in (mail, chat):
        await shop.context(key)
    order = await shop.ordered(1001, phone="0812345678")
    await shop.store.put_jobs([order_job(order, NOW), order_job(order, NOW)])
    assert await shop.registrar.step(NOW) == 1
    for one in (await shop.store.contacts(ContactFilter(), 5)).items:
        assert one.told.value == {"THB": "20.00"}, one.platform
        assert one.told.country == "TH"
    assert await shop.store.jobs("contact", 5) == []


async def test_without_a_key_contacts_are_kept_without_addresses(store, clock, data_dir):
    from services.channels.secrets import Vault  # noqa: PLC0415 # this test alone needs another one
    from tests.services_layer.contacts.conftest import Shop  # noqa: PLC0415 # as above

    shop = Shop(store, Vault(file=data_dir / "none.key", make=False), clock)
    told = await shop.context(await shop.wrote("email", "arun@example.com"))
    assert (told["emails"], told["suggestions"]) == ([], [])
    assert told["identities"][0]["id"] == "arun@example.com"
