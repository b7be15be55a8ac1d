"""Labels of conversations, by rules and by people, and the book of labels and words."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from storage.inbox_records import InboxFilter, Scope
from storage.label_records import ConversationLabelled, Label, LabelBook, LabelChange, OwnWords
from storage.records import AuditRow, ConversationFilter
from tests.storage.flushes import NOW, Flushes, stored

KEY = "shopee/shop/c1"


def note(what="labels.changed", subject=KEY):
    return AuditRow(at=NOW, who="ann", what=what, subject=subject)


def labelled(*labels, conversation="c1", **more):
    return ConversationLabelled(f"shopee/shop/{conversation}", labels, **more)


async def bearing(store, label):
    """What the list and the inbox say, which must be the same."""
    page = await store.conversations(ConversationFilter(label=label), 50)
    rows, total = await store.inbox(InboxFilter(now=NOW, label=label, sort="newest"), 0, 50)
    assert [row.key for row in rows] == [row.key for row in page.items]
    assert total == len(rows)
    return sorted(row.conversation for row in rows)


class LabelContract:
    async def test_labels_of_a_flush_are_shown_and_found(self, store):
        await Flushes(store)(
            stored("m1"),
            stored("m1", "c2"),
            stored("m1", "c3"),
            labelled=[labelled("refund", "complaint", lang="en"), labelled("refund", conversation="c2")],
        )
        row = await store.conversation(KEY)
        assert (row.labels, row.guessed_lang, row.sensitive) == (["complaint", "refund"], "en", False)
        assert (await store.conversation("shopee/shop/c3")).labels == []
        assert await bearing(store, "refund") == ["c1", "c2"]
        assert await bearing(store, "complaint") == ["c1"]
        assert await bearing(store, "payment") == []

    async def test_labels_gather_and_the_last_language_guessed_counts(self, store):
        save = Flushes(store)
        await save(stored("m1"), labelled=[labelled("refund", lang="en", sensitive=True)])
        await save(stored("m2"), labelled=[labelled("payment", "refund", lang="de")])
        await save(stored("m3"))
        row = await store.conversation(KEY)
        assert (row.labels, row.guessed_lang, row.sensitive) == (["payment", "refund"], "de", True)

    async def test_a_label_that_a_person_took_away_does_not_come_back_by_itself(self, store):
        save = Flushes(store)
        await save(stored("m1"), labelled=[labelled("refund", "payment")])
        row = await store.set_labels(KEY, LabelChange(at=NOW, remove=("refund", "account")), note())
        assert row.labels == ["payment"]
        await save(stored("m2"), labelled=[labelled("refund", "account")])
        assert (await store.conversation(KEY)).labels == ["payment"]
        assert await bearing(store, "refund") == []
        row = await store.set_labels(KEY, LabelChange(at=NOW, add=("refund",)), note())
        assert row.labels == ["payment", "refund"]
        assert await bearing(store, "refund") == ["c1"]

    async def test_a_label_that_a_person_gave_stays(self, store, second):
        save = Flushes(store)
        await save(stored("m1"))
        row = await second.set_labels(KEY, LabelChange(at=NOW, add=("vip_club", "refund")), note())
        assert row.labels == ["refund", "vip_club"]
        await save(stored("m2"), labelled=[labelled("payment")])
        assert (await store.conversation(KEY)).labels == ["payment", "refund", "vip_club"]
        assert await bearing(store, "vip_club") == ["c1"]
        assert [row.what for row in (await store.audit(5, subject=KEY)).items] == ["labels.changed"]

    async def test_other_is_shown_only_while_there_is_nothing_else(self, store):
        save = Flushes(store)
        await save(
            stored("m1"), stored("m1", "c2"), stored("m1", "c3"),
            labelled=[labelled("other"), labelled("other", conversation="c2"), labelled("other", conversation="c3")],
        )  # fmt: skip
        assert await bearing(store, "other") == ["c1", "c2", "c3"]
        await save(stored("m2"), labelled=[labelled("refund")])
        assert (await store.conversation(KEY)).labels == ["refund"]
        await store.set_labels("shopee/shop/c2", LabelChange(at=NOW, add=("payment",)), note())
        assert await bearing(store, "other") == ["c3"]
        await store.set_labels("shopee/shop/c2", LabelChange(at=NOW, add=("other",)), note())
        assert (await store.conversation("shopee/shop/c2")).labels == ["other", "payment"]
        assert await bearing(store, "other") == ["c2", "c3"]
        await store.set_labels("shopee/shop/c3", LabelChange(at=NOW, remove=("other",)), note())
        assert await bearing(store, "other") == ["c2"]
        assert await store.labels_in_use() == {"other": 1, "payment": 1, "refund": 1}

    async def test_what_is_sensitive_is_a_list_of_its_own_until_a_person_takes_it_out(self, store):
        save = Flushes(store)
        await save(stored("m1"), stored("m1", "c2"), labelled=[labelled("complaint", sensitive=True)])

        async def listed(*, flag=True):
            page = await store.conversations(ConversationFilter(sensitive=flag), 50)
            rows, _ = await store.inbox(InboxFilter(now=NOW, sensitive=flag), 0, 50)
            assert {row.key for row in rows} == {row.key for row in page.items}
            return [row.conversation for row in rows]

        assert (await listed(), await listed(flag=False)) == (["c1"], ["c2"])
        assert sum(group.sensitive for group in await store.inbox_groups(NOW)) == 1
        await store.set_labels(KEY, LabelChange(at=NOW, sensitive=False), note())
        assert await listed() == []
        await save(stored("m2"), labelled=[labelled("complaint", sensitive=True)])
        assert await listed() == ["c1"]

    async def test_the_language_filter_knows_guessed_languages_where_none_was_told(self, store):
        await Flushes(store)(
            stored("m1", lang="fr"), stored("m1", "c2"),
            labelled=[labelled(lang="en"), labelled(conversation="c2", lang="en")],
        )  # fmt: skip
        rows, _ = await store.inbox(InboxFilter(now=NOW, lang="en"), 0, 50)
        assert [row.conversation for row in rows] == ["c2"]

    async def test_a_scope_of_labels_sees_what_bears_one_of_them(self, store):
        await Flushes(store)(stored("m1"), stored("m1", "c2"), labelled=[labelled("payment")])
        scope = Scope(labels=("refund", "payment"))
        rows, _ = await store.inbox(InboxFilter(now=NOW, scope=scope), 0, 50)
        assert [row.conversation for row in rows] == ["c1"]
        assert all(scope.sees(row) for row in rows)
        page = await store.conversations(ConversationFilter(scope=scope), 50)
        assert [row.conversation for row in page.items] == ["c1"]

    async def test_many_people_label_one_conversation_at_once(self, store, second):
        await Flushes(store)(stored("m1"))
        changes = [LabelChange(at=NOW, add=(f"label_{n}",)) for n in range(6)]
        both = (store, second)
        await asyncio.gather(*(both[n % 2].set_labels(KEY, change, note()) for n, change in enumerate(changes)))
        assert (await store.conversation(KEY)).labels == [f"label_{n}" for n in range(6)]
        assert len((await store.audit(20, subject=KEY)).items) == 6

    async def test_an_unknown_conversation_cannot_be_labelled(self, store):
        assert await store.set_labels("shopee/shop/x", LabelChange(at=NOW, add=("refund",)), note()) is None
        assert (await store.audit(5)).items == []

    async def test_labels_are_paged_with_the_lists(self, store):
        names = [f"c{n}" for n in range(7)]
        await Flushes(store)(
            *[stored("m1", name, at=NOW + n) for n, name in enumerate(names)],
            labelled=[labelled("refund", conversation=name) for name in names],
        )
        found, cursor = [], None
        while True:
            page = await store.conversations(ConversationFilter(label="refund"), 3, cursor)
            found += [row.conversation for row in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert found == names[::-1]

    async def test_the_book_keeps_versions_and_one_writer_wins(self, store, second):
        assert await store.label_book() is None
        book = LabelBook(
            version=1, at=NOW, who="ann", labels=[Label(id="vip_club", names={"en": "VIP club"}, colour="accent")],
            words=[OwnWords(lang="zh", label="refund", added=["退我"], off=["退"])],
        )  # fmt: skip
        assert await store.put_label_book(book, note("labels.saved", "labels"))
        assert await second.label_book() == book
        assert not await second.put_label_book(msgspec.structs.replace(book, who="bob"), note("never"))
        newer = msgspec.structs.replace(book, version=2, labels=[])
        assert await second.put_label_book(newer, note("labels.saved", "labels"))
        assert await store.label_book() == newer
        assert [row.what for row in (await store.audit(5)).items] == ["labels.saved"] * 2

    @pytest.mark.parametrize("repeats", [2])
    async def test_the_same_flush_again_changes_nothing(self, store, repeats):
        save = Flushes(store)
        for number in range(repeats):
            await save(stored(f"m{number}"), labelled=[labelled("refund")])
        assert await store.labels_in_use() == {"refund": 1}

    async def test_what_is_pruned_takes_its_labels_with_it(self, store):
        save = Flushes(store)
        await save(stored("m1"), labelled=[labelled("refund")])
        await store.set_labels(KEY, LabelChange(at=NOW, add=("payment",)), note())
        await save(stored("m2", "c2", at=NOW + 900))
        await store.prune(NOW + 500)
        assert await store.labels_in_use() == {}
        await save(stored("m3", at=NOW + 1_000))
        assert (await store.conversation(KEY)).labels == []
