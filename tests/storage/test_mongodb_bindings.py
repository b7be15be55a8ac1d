"""A binding made, changed or forgotten, cut off at every single command: done and noted, or neither."""

from __future__ import annotations

import pytest

from storage.errors import StoreBusyError
from storage.mongodb import MongoStore
from tests.storage.contract_bindings import AUDIT, bound
from tests.storage.cutter import cutting
from tests.storage.flushes import NOW

pytestmark = pytest.mark.services


async def opened(url):
    found = MongoStore(url, timeout_s=60)
    await found.open()
    return found


async def _cut_off(url, change, commands, *, answered):
    """Whether the change came to its end before the cut."""
    async with cutting(url) as (cutter, way):
        victim = await opened(way)
        cutter.arm(commands, answered=answered)
        try:
            await change(victim)
        except StoreBusyError:
            return False
        else:
            return cutter.left != 0
        finally:
            await victim.close()


CHANGES = {
    "made": lambda store: store.save_binding(bound(), AUDIT),
    "changed": lambda store: store.save_binding(bound(changed_at=NOW + 1), AUDIT, replaces=NOW),
    "forgotten": lambda store: store.delete_binding("shopee", "shop", AUDIT),
}
AFTERWARDS = {"made": [bound()], "changed": [bound(changed_at=NOW + 1)], "forgotten": []}


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("what", CHANGES)
async def test_a_binding_cut_off_at_any_command_is_as_before_or_changed_and_noted(mongo, what, answered):
    commands, ended, outcomes = 0, False, set()
    while not ended:
        commands += 1
        url = mongo.fresh()
        store = await opened(url)
        if what != "made":
            await store.save_binding(bound(), AUDIT)
        before, noted = await store.bindings(), len((await store.audit(10)).items)
        await store.close()
        ended = await _cut_off(url, CHANGES[what], commands, answered=answered)
        store = await opened(url)
        done = await store.bindings() != before
        outcomes.add(done)
        assert await store.bindings() == (AFTERWARDS[what] if done else before)
        assert len((await store.audit(10)).items) == noted + done, f"cut off after command {commands}"
        # Whatever was left behind is in nobody's way.
        await store.delete_binding("shopee", "shop", AUDIT)
        assert await store.save_binding(bound(), AUDIT)
        assert await store.bindings() == [bound()]
        assert await store.delete_binding("shopee", "shop", AUDIT)
        assert await store._db._client.get_default_database().bindings.count_documents({}) == 0
        await store.close()
    assert True in outcomes
