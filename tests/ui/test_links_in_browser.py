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


FOLDED = """async ([text, found, fold]) => {
  const { said, quoted } = (await import('weir-core')).foldedParts(text, found, fold);
  return [said, quoted].map((parts) => parts.map((part) => [part.text, part.href]));
}"""


async def test_what_a_mail_quotes_is_folded_and_nothing_of_it_is_lost(visit):
    page = await visit("/")
    text = f"😀 see {UPS}\n\nOn Monday Li wrote:\n> https://example.com/a"
    fold = text.index("On Monday")
    found = [{"start": 6, "end": 6 + len(UPS), "url": UPS}, {"start": fold - 2, "end": fold + 2, "url": UPS}]
    said, quoted = await page.evaluate(FOLDED, [text, found, fold])
    assert said == [["😀 see ", None], [UPS, UPS]]
    assert "".join(part for part, _ in quoted) == text[fold:]
    assert quoted[-1] == ["https://example.com/a", "https://example.com/a"]
    for nowhere in (None, 0, -3, len(text), 10**9, "7", 2.5):
        said, quoted = await page.evaluate(FOLDED, [text, [], nowhere])
        assert "".join(part for part, _ in said) == text
        assert quoted == []
