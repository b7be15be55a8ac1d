"""Contacts: learnt, said, merged, taken back, forgotten; one list of messages over conversations."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from actors.errors import RejectedError
from storage.contact_records import Contact, ContactFilter, NotOne, Said, Told
from storage.records import AuditRow
from tests.storage.flushes import NOW, Flushes, customer, everything, stored

AUDIT = AuditRow(at=NOW, who="ann", what="contact.changed", subject="contact a")


def contact(id_, /, seen_at=NOW, **more):
    told = {
        name: more.pop(name)
        for name in ("name", "langs", "country", "orders", "value", "sealed", "key", "facts")
        if name in more
    }
    fields = {"platform": "shopee", "account": "shop", "identity": f"u-{id_}", "created_at": NOW}
    return Contact(id=id_, told=Told(seen_at=seen_at, **told), **(fields | more))


def ids(rows):
    return [row.id for row in rows]


def said(one, **what):
    return replace(one, said=Said(**what), version=one.version + 1)


class ContactContract:
    async def test_a_contact_comes_back_whole(self, store):
        whole = contact(
            "a/1",
            identity="李/1",
            name="李",
            langs=["zh", "en"],
            country="CN",
            orders=2,
            value={"CNY": "12.30", "EUR": "5"},
            sealed=b"\x00\xff",
            key="k1",
            facts=["email:1", "phone:2"],
        )
        await store.learn_contacts([])
        await store.learn_contacts([whole, contact("b")])
        assert await store.contacts_of(["a/1"]) == [whole]
        assert sorted(ids(await store.contacts_of(["b", "a/1", "c", "b"]))) == ["a/1", "b"]
        assert await store.contacts_of([]) == []

    async def test_what_is_learnt_later_leaves_what_people_said(self, store):
        first = contact("a", name="Li", facts=["email:1"], value={"EUR": "1"})
        await store.learn_contacts([first])
        changed = said(first, label="Wei", tags=["vip"], note="be kind", zone="Asia/Shanghai")
        assert await store.change_contact(changed, AUDIT, replaces=0)
        later = contact("a", NOW + 5, name="Li Wei", facts=["email:2"], value={"EUR": "3"})
        await store.learn_contacts([later])
        assert await store.contacts_of(["a"]) == [replace(later, said=changed.said, version=1)]
        assert await store.contacts_with(["email:1"], 5) == []
        assert ids(await store.contacts_with(["email:2", "email:9"], 5)) == ["a"]
        for text in ("wEI", "li wei", "U-A"):
            assert ids((await store.contacts(ContactFilter(text=text), 5)).items) == ["a"], text
        assert (await store.contacts(ContactFilter(spent_from=2), 5)).items != []
        assert (await store.contacts(ContactFilter(text="1.*"), 5)).items == []

    async def test_a_change_needs_the_version_it_replaces_and_leaves_an_audit_row(self, store, second):
        await store.learn_contacts([contact("a")])
        first = said(contact("a"), tags=["x", "y"])
        assert not await store.change_contact(first, AUDIT, replaces=1)
        assert await store.change_contact(first, AUDIT, replaces=0)
        assert not await second.change_contact(said(contact("a"), tags=["z"]), AUDIT, replaces=0)
        assert not await store.change_contact(said(contact("q"), tags=["z"]), AUDIT, replaces=0)
        [held] = await second.contacts_of(["a"])
        assert (held.said.tags, held.version) == (["x", "y"], 1)
        assert [row.what for row in (await store.audit(5)).items] == ["contact.changed"]
        assert ids((await store.contacts(ContactFilter(tag="y"), 5)).items) == ["a"]
        assert await store.change_contact(replace(first, said=Said(), version=2), AUDIT, replaces=1)
        assert (await store.contacts(ContactFilter(tag="y"), 5)).items == []

    async def test_a_contact_points_to_another_and_no_more_when_it_is_taken_back(self, store):
        rows = [contact("a"), contact("b"), contact("c")]
        await store.learn_contacts(rows)
        merged = said(rows[1], tags=["t"], merged_into="a", merged_at=NOW, merged_by="ann")
        assert await store.change_contact(merged, AUDIT, replaces=0)
        assert await store.merged_into(["a", "c"]) == [merged]
        assert await store.merged_into(["b"]) == []
        assert ids((await store.contacts(ContactFilter(alone=True), 5)).items) == ["a", "c"]
        apart = replace(merged, said=Said(tags=["t"]), version=2)
        assert await store.change_contact(apart, AUDIT, replaces=1)
        assert await store.merged_into(["a"]) == []
        assert ids((await store.contacts(ContactFilter(alone=True), 5)).items) == ["a", "b", "c"]

    async def test_lists_are_filtered_and_paged_the_latest_first(self, store):
        rows = [
            contact("a", NOW + 1, value={"EUR": "10.5"}),
            contact("b", NOW + 3, account="other", value={"EUR": "99", "USD": "1"}),
            contact("c", NOW + 3, platform="ebay", value={"USD": "100"}, facts=["phone:1"]),
            contact("d", NOW + 2),
        ]
        await store.learn_contacts(rows)

        async def found(**where):
            return ids(await everything(lambda n, c: store.contacts(ContactFilter(**where), n, c), 1))

        assert await found() == ["b", "c", "d", "a"]
        assert await found(platform="shopee") == ["b", "d", "a"]
        assert await found(platform="shopee", account="shop") == ["d", "a"]
        assert await found(spent_from=50) == ["b", "c"]
        assert await found(spent_from=50, currency="EUR") == ["b"]
        assert await found(spent_from=10.5, currency="EUR") == ["b", "a"]
        assert await found(facts=["phone:1"]) == ["c"]
        assert await found(facts=[]) == []
        with pytest.raises(RejectedError):
            await store.contacts(ContactFilter(), 5, "x")

    async def test_a_forgotten_contact_is_gone_and_those_merged_into_it_stay_together(self, store):
        rows = [contact(name, facts=["email:1"], created_at=NOW + at) for at, name in enumerate("rabc")]
        await store.learn_contacts(rows)
        for row, above in ((rows[1], "r"), (rows[2], "a"), (rows[3], "a")):
            assert await store.change_contact(said(row, tags=["t"], merged_into=above), AUDIT, replaces=0)
        await store.say_not_one(NotOne(first="a", second="x", at=NOW, who="ann"), AUDIT)
        assert await store.forget_contact("a")
        assert not await store.forget_contact("a")
        held = {one.id: one.said.merged_into for one in await store.contacts_of(["r", "a", "b", "c"])}
        assert held == {"r": None, "b": "r", "c": "b"}
        assert ids(await store.contacts_with(["email:1"], 9)) == ["b", "c", "r"]
        assert ids((await store.contacts(ContactFilter(tag="t"), 9)).items) == ["b", "c"]
        assert await store.not_one(["x"]) == []

    async def test_when_the_first_of_several_is_forgotten_the_next_one_leads(self, store):
        rows = [contact(name, created_at=NOW + at) for at, name in enumerate("abc")]
        await store.learn_contacts(rows)
        for row in rows[1:]:
            assert await store.change_contact(said(row, merged_into="a"), AUDIT, replaces=0)
        assert await store.forget_contact("a")
        assert ids(await store.merged_into(["b"])) == ["c"]
        assert ids((await store.contacts(ContactFilter(alone=True), 5)).items) == ["b"]

    async def test_that_two_are_not_one_is_kept_once(self, store, second):
        pair = NotOne(first="a", second="b", at=NOW, who="ann")
        await asyncio.gather(store.say_not_one(pair, AUDIT), second.say_not_one(pair, AUDIT))
        await store.say_not_one(replace(pair, at=NOW + 1), AUDIT)
        await store.say_not_one(replace(pair, first="b", second="c"), AUDIT)
        assert await store.not_one(["a"]) == [pair]
        assert [(one.first, one.second) for one in await store.not_one(["b"])] == [("a", "b"), ("b", "c")]
        assert await store.not_one([]) == []
        assert len((await store.audit(9)).items) == 2

    async def test_those_sealed_with_another_key_are_found(self, store):
        rows = [contact("a", key="k1", sealed=b"1"), contact("b", key="k2", sealed=b"2"), contact("c")]
        await store.learn_contacts(rows)
        assert ids(await store.contacts_sealed_otherwise("k2", 5)) == ["a"]
        await store.learn_contacts([contact("a", key="k2", sealed=b"3")])
        assert await store.contacts_sealed_otherwise("k2", 5) == []
        assert ids(await store.contacts_sealed_otherwise("k3", 1)) == ["a"]
        assert ids(await store.contacts_sealed_otherwise("k3", 5, "a")) == ["b"]

    async def test_messages_of_several_conversations_are_one_list_the_latest_first(self, store):
        save = Flushes(store)
        await save(
            stored("m1", "c1", at=NOW, sender=customer()),
            stored("m2", "c2", at=NOW + 5, sent_at=NOW + 1),
            stored("m3", "c1", at=NOW + 2),
            stored("m3", "c2", at=NOW + 2),
            stored("m4", "c2", at=NOW + 3, merged_into="m3"),
            stored("m5", "c3", at=NOW + 4),
        )
        keys = ["shopee/shop/c1", "shopee/shop/c2", "shopee/shop/none"]
        pages = await everything(lambda n, c: store.messages_of_all(keys, n, c), 1)
        assert [(row.key[-2:], row.message) for row in pages] == [
            ("c2", "m3"),
            ("c1", "m3"),
            ("c2", "m2"),
            ("c1", "m1"),
        ]
        assert pages == (await store.messages_of_all(keys, 9)).items
        assert (await store.messages_of_all([], 9)).items == []
        with pytest.raises(RejectedError):
            await store.messages_of_all(keys, 5, "x")
