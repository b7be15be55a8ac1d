"""Merging, taking back, saying something of a customer; forgetting one."""

import asyncio

import pytest
from msgspec import structs

from actors.errors import RejectedError
from services.contacts.people import Change
from services.errors import ConflictError, NotFoundError
from tests.services_layer.contacts.conftest import ANN


@pytest.fixture
async def two(shop):
    """(key, id) of two customers."""
    keys = [await shop.wrote("line", "U1", name="Arun"), await shop.wrote("ebay", "u2", name="Linh")]
    return [(key, (await shop.context(key))["contact"]["id"]) for key in keys]


async def test_merged_and_taken_back_both_are_exactly_as_they_were(shop, two):
    (key, one), (other_key, other) = two
    people = shop.contacts.people
    await people.change(one, Change(tags=["vip"], note="kind", name="Arun L.", zone="Asia/Bangkok"), who="ann")
    await people.change(other, Change(tags=["returns", "vip"], note="rude"), who="ann")
    before = [await shop.context(key), await shop.context(other_key)]
    person = await people.merge(other, one, who="ann")
    assert (person.lead.id, person.tags, person.name) == (one, ["vip", "returns"], "Arun L.")
    merged = await shop.context(other_key)
    assert merged["contact"]["id"] == one
    assert {span["key"] for span in merged["history"]["items"]} == {key, other_key}
    assert [found["removable"] for found in merged["identities"]] == [False, True]
    assert merged["identities"][1]["merged_by"] == "ann"
    rest, apart = await people.unmerge(other, who="bob")
    assert (rest.ids, apart.ids) == ([one], [other])
    after = [await shop.context(key), await shop.context(other_key)]
    for was, now in zip(before, after, strict=True):
        was["contact"].pop("version")
        now["contact"].pop("version")
        assert was == now
    what = [row.what for row in (await shop.store.audit(9, subject=f"contact {other}")).items]
    assert what == ["contact.unmerged", "contact.merged", "contact.changed"]


async def test_a_tag_is_taken_from_whichever_contact_bears_it(shop, two):
    (_, one), (_, other) = two
    people = shop.contacts.people
    await people.change(one, Change(tags=["a"]), who="ann")
    await people.change(other, Change(tags=["b", "c"]), who="ann")
    await people.merge(one, other, who="ann")
    assert (await people.change(other, Change(tags=["a", "c", "d"]), who="ann")).tags == ["a", "d", "c"]
    rest, apart = await people.unmerge(other, who="ann")
    assert (rest.tags, apart.tags) == (["a", "d"], ["c"])


async def test_merging_twice_or_with_oneself_changes_nothing_and_two_at_once_make_no_circle(shop, two):
    (_, one), (_, other) = two
    people = shop.contacts.people
    both = await asyncio.gather(people.merge(one, other, who="ann"), people.merge(other, one, who="bob"))
    assert [person.ids for person in both] == [[one, other]] * 2
    assert (await people.merge(one, one, who="ann")).ids == [one, other]
    assert len((await shop.store.audit(9)).items) == 1


async def test_a_third_who_was_merged_before_goes_with_whom_it_was_merged_into(shop, two):
    (_, one), (_, other) = two
    third = (await shop.context(await shop.wrote("telegram", "t3")))["contact"]["id"]
    people = shop.contacts.people
    await people.merge(other, third, who="ann")
    assert (await people.merge(third, one, who="ann")).ids == [one, other, third]
    rest, apart = await people.unmerge(other, who="ann")
    assert (rest.ids, apart.ids) == ([one], [other, third])


async def test_what_is_merged_into_nobody_cannot_be_taken_back(shop, two):
    (_, one), _ = two
    with pytest.raises(ConflictError, match="merged into no other"):
        await shop.contacts.people.unmerge(one, who="ann")
    with pytest.raises(NotFoundError):
        await shop.contacts.people.merge(one, "nobody", who="ann")
    await shop.contacts.people.merge(one, two[1][1], who="ann")
    with pytest.raises(ConflictError, match="take that back first"):
        await shop.contacts.people.dismiss(one, two[1][1], who="ann")


async def test_a_change_that_was_made_on_an_old_version_is_refused(shop, two):
    (_, one), _ = two
    people = shop.contacts.people
    person = await people.change(one, Change(tags=[" a ", "a", ""], version=0), who="ann")
    assert (person.tags, person.lead.version) == (["a"], 1)
    with pytest.raises(ConflictError, match="read it again"):
        await people.change(one, Change(note="x", version=0), who="bob")
    assert (await people.change(one, Change(note="x"), who="bob")).tags == ["a"]
    assert (await people.change(one, Change(note="", name=None), who="bob")).lead.said.note is None
    version = (await people.person(one)).lead.version
    assert (await people.change(one, Change(tags=["a"]), who="bob")).lead.version == version


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (Change(zone="Middle/Earth"), "zone"),
        (Change(tags=["x" * 51]), "tags"),
        (Change(tags=[str(n) for n in range(31)]), "tags"),
        (Change(note="x" * 4001), "note"),
        (Change(name="x" * 201), "name"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(shop, two, change, field):
    with pytest.raises(RejectedError, match=f"^{field}: "):
        await shop.contacts.people.change(two[0][1], change, who="ann")


async def test_names_and_notes_are_in_no_audit_row(shop, two):
    await shop.contacts.people.change(two[0][1], Change(name="Secret Person", note="hidden words"), who="ann")
    [row] = (await shop.store.audit(5)).items
    assert "Secret" not in str(structs.asdict(row))
    assert "hidden" not in str(structs.asdict(row))


async def test_a_forgotten_customer_leaves_nothing_in_any_contact(shop):
    await shop.ordered(1001, phone="0812345678")
    mail = await shop.wrote("email", "arun@example.com")
    chat = await shop.wrote("shopify", "cust-1", account="web")
    before = await shop.context(mail)
    contact = (await shop.context(chat))["contact"]["id"]
    assert (before["phones"], before["value"]) == (["+66812345678"], [{"currency": "THB", "total": "20.00"}])
    await shop.contacts.people.merge(contact, before["contact"]["id"], who=ANN.name)
    await shop.contacts.forget("shopify", "web", "cust-1")
    assert await shop.store.contacts_of([contact]) == []
    assert await shop.store.orders_by(contact="cust-1") == []
    after = await shop.context(mail)
    assert (after["phones"], after["value"], after["emails"]) == ([], [], ["arun@example.com"])
    assert len(after["identities"]) == 1
    with pytest.raises(NotFoundError):
        await shop.contacts.people.person(contact)
