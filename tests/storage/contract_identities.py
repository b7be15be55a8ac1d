"""The names by which platforms know one person."""

from __future__ import annotations

import asyncio

from storage.channel_records import Identity
from tests.storage.flushes import NOW


def link(alias, canonical, since=NOW, account="shop"):
    return Identity(platform="whatsapp", account=account, alias=alias, canonical=canonical, since=since)


class IdentityContract:
    async def test_a_name_leads_to_the_one_under_which_everything_is_kept(self, store):
        assert await store.canonical("whatsapp", "shop", ["491", "DE.1"]) == {}
        assert await store.aliases("whatsapp", "shop", "491") == []
        rows = [link("491", "491"), link("DE.1", "491", NOW + 2), link("abc@lid/1", "491", NOW + 1)]
        await store.link_identities([])
        await store.link_identities(rows)
        assert await store.canonical("whatsapp", "shop", ["491", "DE.1", "abc@lid/1", "492"]) == {
            "491": "491",
            "DE.1": "491",
            "abc@lid/1": "491",
        }
        for name in ("491", "DE.1", "abc@lid/1"):
            assert await store.aliases("whatsapp", "shop", name) == [rows[0], rows[2], rows[1]]

    async def test_a_name_that_is_linked_stays_linked_as_it_is(self, store, second):
        await store.link_identities([link("DE.1", "DE.1")])
        await asyncio.gather(
            store.link_identities([link("491", "491"), link("DE.1", "491", NOW + 1)]),
            second.link_identities([link("DE.1", "DE.2", NOW + 2)]),
        )
        assert await store.canonical("whatsapp", "shop", ["491", "DE.1"]) == {"491": "491", "DE.1": "DE.1"}
        assert await second.aliases("whatsapp", "shop", "DE.1") == [link("DE.1", "DE.1")]

    async def test_a_person_is_forgotten_by_every_name_and_on_one_channel(self, store):
        other = link("491", "491", account="other")
        await store.link_identities([link("491", "491"), link("DE.1", "491"), link("492", "492"), other])
        assert await store.forget_identities("whatsapp", "shop", "DE.1") == 2
        assert await store.forget_identities("whatsapp", "shop", "DE.1") == 0
        assert await store.canonical("whatsapp", "shop", ["491", "DE.1", "492"]) == {"492": "492"}
        assert await store.aliases("whatsapp", "other", "491") == [other]
