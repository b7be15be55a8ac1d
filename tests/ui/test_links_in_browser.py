"""Texts with links, in a real browser: what links, and what stays text."""

import pytest

pytestmark = pytest.mark.browser

PARTS = "async ([text, found]) => (await import('weir-core')).linkParts(text, found).map((p) => [p.text, p.href])"
UPS = "https://www.ups.com/track?tracknum=1Z37EJ8B0322420403"


@pytest.fixture
async def parts(visit):
    page = await visit("/")
    return lambda text, found=(): page.evaluate(PARTS, [text, list(found)])


async def test_a_found_number_links_and_the_text_stays_whole(parts):
    found = {"start": 9, "end": 27, "url": UPS, "number": "1Z37EJ8B0322420403", "carriers": ["UPS"]}
    assert await parts("😀 parcel 1Z37EJ8B0322420403!", [found]) == [
        ["😀 parcel ", None],
        ["1Z37EJ8B0322420403", UPS],
        ["!", None],
    ]


async def test_addresses_in_a_text_link_without_the_full_stop(parts):
    assert await parts("see https://example.com/a?b=1.") == [
        ["see ", None],
        ["https://example.com/a?b=1", "https://example.com/a?b=1"],
        [".", None],
    ]


@pytest.mark.parametrize(
    "told", ["javascript:alert(1)", "data:text/html,x", "https://user:pass@example.com", "ftp://x", "x", 5, None]
)
async def test_nothing_but_http_links(parts, told):
    found = {"start": 0, "end": 4, "url": told}
    assert await parts("abcd", [found]) == [["abcd", None]]
    assert "".join(part[0] for part in await parts(f"go {told} now")) == f"go {told} now"


async def test_places_that_do_not_fit_are_left_out(parts):
    places = [
        {"start": 2, "end": 9, "url": UPS},
        {"start": -1, "end": 2, "url": UPS},
        {"start": "0", "end": 1, "url": UPS},
    ]
    overlapping = [{"start": 0, "end": 3, "url": UPS}, {"start": 1, "end": 4, "url": "https://example.com"}]
    assert await parts("abcd", places) == [["abcd", None]]
    assert await parts("abcd", overlapping) == [["abc", UPS], ["d", None]]
