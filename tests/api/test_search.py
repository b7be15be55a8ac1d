"""The search over HTTP: what comes back, in which order, for whom."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import httpx
import pytest

from actors.orders import Order
from tests.storage.flushes import NOW, Flushes, customer, stored

DAY = 86_400_000


@pytest.fixture
async def told(services):
    """A few conversations."""
    lin = customer("Lin <b>", "u7")
    await Flushes(services.store)(
        stored("m1", "c1", at=NOW, text="我家在上海东边。", sender=lin, order="ORD-2024-9"),
        stored("m2", "c1", at=NOW + 1, text="refund " + "long text " * 100 + "ＡＢＣ１２３ end", direction="out"),
        stored("m3", "c2", at=NOW + DAY, text="refund <script>", account="other", sender=customer("Ann", "u8")),
    )
    await services.store.put_orders(
        [Order(platform="shopee", account="shop", id="9", number="#2024", created_at=1, updated_at=1, name="Lin")]
    )


async def asked(client, path="", **where):
    answer = await client.get(f"/api/v1/search{path}", params=where)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


async def found(client, **where):
    return [item["message"] for item in (await asked(client, "/messages", **where))["items"]]


@pytest.mark.usefixtures("told")
async def test_messages_are_found_newest_first_with_their_places(admin):
    page = await asked(admin, "/messages", q="refund")
    assert [item["message"] for item in page["items"]] == ["m3", "m2"]
    assert page["next"] is None
    hit = page["items"][0]
    assert (hit["key"], hit["sender_name"], hit["contact_name"]) == ("shopee/other/c2", "Ann", "Ann")
    assert (hit["excerpt"]["text"], hit["excerpt"]["ranges"]) == ("refund <script>", [[0, 6]])
    (far,) = (await asked(admin, "/messages", q="abc123"))["items"]
    part = far["excerpt"]
    assert [part["text"][start:end] for start, end in part["ranges"]] == ["ＡＢＣ１２３"]
    assert part["cut_before"]
    assert far["ranges"] == [[a + part["start"], b + part["start"]] for a, b in part["ranges"]]


@pytest.mark.usefixtures("told")
async def test_messages_are_narrowed_by_qualifiers_and_by_parameters_alike(admin):
    assert await found(admin, q="refund account:other") == ["m3"]
    assert await found(admin, q="refund", account="other") == ["m3"]
    assert await found(admin, q="from:lin") == ["m1"]
    assert await found(admin, q="order:ord20249") == ["m2", "m1"]
    assert await found(admin, direction="out") == ["m2"]
    assert await found(admin, since=str(NOW + 5)) == ["m3"]
    assert await found(admin, q="上海", until=str(NOW + 1)) == ["m1"]
    assert await found(admin) == ["m3", "m2", "m1"]
    first = await asked(admin, "/messages", q="refund", limit=1)
    assert await found(admin, q="refund", limit=1, cursor=first["next"]) == ["m2"]


@pytest.mark.usefixtures("told")
async def test_the_palette_has_a_few_of_each_kind(admin):
    page = await asked(admin, q="lin")
    assert [row["key"] for row in page["conversations"]] == ["shopee/shop/c1"]
    assert page["contacts"] == [
        {"platform": "shopee", "account": "shop", "id": "u7", "name": "Lin <b>", "key": "shopee/shop/c1"}
    ]
    assert page["bounded"] is False
    page = await asked(admin, q="2024")
    assert [order["number"] for order in page["orders"]] == ["#2024"]
    page = await asked(admin, q="ORD20249")
    assert [row["key"] for row in page["conversations"]] == ["shopee/shop/c1"]
    assert [hit["message"] for hit in page["messages"]] == ["m1"]
    page = await asked(admin, q="refund platform:shopee", tz="Asia/Shanghai")
    assert page["asked"] == {"words": "refund", "platform": "shopee"}
    assert [row["key"] for row in page["conversations"]] == ["shopee/other/c2", "shopee/shop/c1"]
    assert await asked(admin) == {
        "asked": {}, "conversations": [], "contacts": [], "orders": [], "messages": [], "bounded": False
    }  # fmt: skip


@pytest.mark.usefixtures("told")
async def test_more_than_is_shown_is_told(services, admin):
    await Flushes(services.store)(*[stored("m", f"d{n}", at=NOW + n, text="again") for n in range(9)], partition=1)
    page = await asked(admin, q="again")
    assert (len(page["conversations"]), len(page["messages"]), page["bounded"]) == (5, 5, True)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/messages", {"cursor": "nonsense"}),
        ("/messages", {"direction": "sideways"}),
        ("/messages", {"since": "yesterday"}),
        ("/messages", {"tz": "Nowhere/Land"}),
        ("", {"tz": "../etc/passwd"}),
        ("", {"q": "x" * 2000}),
    ],
)
async def test_bad_input_is_refused_and_says_why(admin, path, where):
    answer = await admin.get(f"/api/v1/search{path}", params=where)
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]


async def test_a_stranger_finds_nothing(stranger):
    for path in ("", "/messages"):
        assert (await stranger.get(f"/api/v1/search{path}", params={"q": "x"})).status_code == httpx.codes.UNAUTHORIZED
