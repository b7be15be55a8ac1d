"""AT-48: words of scripts without spaces, one character, both widths, order numbers with and without dashes."""

# ruff: noqa: RUF001 - full-width and Cyrillic characters are what is tested

import pytest

from tests.acceptance.archives import archive_on

TEXTS = {
    "home": "我家在上海东边。",
    "money": "退款一直没有到账",
    "cancel": "注文番号12-3456のキャンセル",
    "late": "배송이 늦어요",
    "differs": "สินค้าไม่ตรงปก",
    "where": "Где мой заказ №4471?",
    "wide": "ＡＢＣ１２３",
    "piece": "please send sku-001",
}
FOUND = [
    ("上海", "home", "上海"),
    ("上", "home", "上"),
    ("没有到账", "money", "没有到账"),
    ("キャンセル", "cancel", "キャンセル"),
    ("ｷｬﾝｾﾙ", "cancel", "キャンセル"),
    ("3456", "cancel", "3456"),
    ("12-3456", "cancel", "12-3456"),
    ("123456", "cancel", "12-3456"),
    ("늦어", "late", "늦어"),
    ("ไม่ตรง", "differs", "ไม่ตรง"),
    ("заказ", "where", "заказ"),
    ("ABC123", "wide", "ＡＢＣ１２３"),
    ("sku-００１", "piece", "sku-001"),
    ("SKU001", "piece", "sku-001"),
]


@pytest.mark.services
@pytest.mark.parametrize("on", ["embedded", "mongo"])
async def test_every_query_finds_its_message_and_marks_it_and_the_scrambled_one_finds_none(on, request, data_dir):
    """The texts and queries of the issues; what is marked is the place in the text as the customer wrote it."""
    database = request.getfixturevalue("mongo").fresh() if on == "mongo" else "embedded"
    async with archive_on(database, data_dir) as archive:
        await archive.takes(*((name, text, 0) for name, text in TEXTS.items()))
        await archive.settled()
        for line, name, marked in FOUND:
            found = await archive.finds(line)
            assert [hit["conversation"] for hit in found] == [name], line
            part = found[0]["excerpt"]
            assert part["text"] == TEXTS[name]
            assert [part["text"][start:end] for start, end in part["ranges"]] == [marked], line
        for line in ("到没账", "海上", "ルセンャキ"):
            assert await archive.finds(line) == [], line
