"""AT-49: what is years old is found, while many search at once and messages come in."""

import asyncio

import pytest

from tests.acceptance.archives import archive_on

OLD_DAYS = 730
SEARCHERS = 20
ARRIVING = 50


@pytest.mark.services
@pytest.mark.parametrize("on", ["embedded", "mongo"])
async def test_a_message_of_two_years_ago_is_found_while_twenty_search_and_fifty_arrive(on, request, data_dir):
    """Three years of messages, one word said once two years ago; every search finds it, every message arrives."""
    database = request.getfixturevalue("mongo").fresh() if on == "mongo" else "embedded"
    async with archive_on(database, data_dir) as archive:
        past = [(f"c{n % 30}", f"parcel number {n}", 1095 - n * 5) for n in range(200)]
        await archive.takes(*past, ("old", "我家在上海东边。", OLD_DAYS))
        await archive.settled()
        arriving = archive.takes(*((f"new{n}", f"arrived now {n}", 0) for n in range(ARRIVING)))
        searches = (archive.finds(line) for line in ("上海", "parcel") * (SEARCHERS // 2))
        _, *found = await asyncio.gather(arriving, *searches)
        await archive.settled()
        for number, hits in enumerate(found):
            names = [hit["conversation"] for hit in hits]
            assert names == ["old"] if number % 2 == 0 else len(names) == len(past)
        times = [hit["sent_at"] for hit in await archive.finds("parcel")]
        assert times == sorted(times, reverse=True)
        assert len(await archive.finds("arrived")) == ARRIVING
        assert len(await archive.finds("")) == len(past) + 1 + ARRIVING
        palette = (await (await archive.admin()).get("/api/v1/search", params={"q": "parcel"})).json()
        assert (len(palette["messages"]), palette["bounded"]) == (5, True)
