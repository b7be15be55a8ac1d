"""Saved views of the inbox."""

from __future__ import annotations

import asyncio

import msgspec

from storage.records import AuditRow
from storage.view_records import SavedView
from tests.storage.flushes import NOW

AUDIT = AuditRow(at=NOW, who="ann", what="view.saved", subject="view v1")


def view(id_="v1", owner="ann", **more):
    return SavedView(id=id_, owner=owner, name=f"view {id_}", at=NOW, query={"tab": "mine", "platform": "ebay"}, **more)


class ViewContract:
    async def test_a_view_comes_back_whole_and_its_last_version_counts(self, store):
        first = view()
        assert await store.put_saved_view(first, AUDIT)
        assert await store.saved_views("ann") == [first]
        changed = msgspec.structs.replace(first, name="other", query={}, version=2)
        assert await store.put_saved_view(changed, AUDIT)
        assert await store.saved_view("v1") == changed
        assert len((await store.audit(5, subject="view v1")).items) == 2

    async def test_others_see_what_is_shared_and_nothing_else(self, store):
        for one in (view("v1"), view("v2", shared=True), view("v3", owner="bob")):
            await store.put_saved_view(one, AUDIT)
        assert [one.id for one in await store.saved_views("ann")] == ["v1", "v2"]
        assert [one.id for one in await store.saved_views("bob")] == ["v2", "v3"]

    async def test_of_two_changes_of_one_version_the_first_counts(self, store):
        await store.put_saved_view(view(), AUDIT)
        assert not await store.put_saved_view(view(), AUDIT)
        first = msgspec.structs.replace(view(), name="first", version=2)
        assert await store.put_saved_view(first, AUDIT)
        assert not await store.put_saved_view(msgspec.structs.replace(first, name="second"), AUDIT)
        assert await store.saved_view("v1") == first
        assert len((await store.audit(9, subject="view v1")).items) == 2

    async def test_a_forgotten_view_is_gone_and_its_row_in_the_log_stays(self, store):
        await store.put_saved_view(view(shared=True), AUDIT)
        gone = msgspec.structs.replace(AUDIT, what="view.deleted")
        told = await asyncio.gather(store.delete_saved_view("v1", gone), store.delete_saved_view("nothing", gone))
        assert told == [True, False]
        assert not await store.delete_saved_view("v1", gone)
        assert (await store.saved_view("v1"), await store.saved_views("ann")) == (None, [])
        assert [row.what for row in (await store.audit(5)).items] == ["view.deleted", "view.saved"]
        assert await store.put_saved_view(view(), AUDIT)
