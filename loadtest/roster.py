"""The simulated shops: their platforms, languages and habits."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

FEWEST = 4


class Shop(Struct, frozen=True, kw_only=True):
    """One channel. `sequences`: the platform numbers messages; `ahead_ms`: how far its clock runs ahead."""

    platform: str
    account: str
    languages: tuple[str, ...]
    weight: float
    sequences: bool = True
    ahead_ms: int = 0
    history: int = 0


SHOPS: tuple[Shop, ...] = (
    Shop(platform="shopee", account="shop-sg-1", languages=("en", "zh", "id"), weight=5),
    Shop(platform="amazon", account="store-us", languages=("en", "es"), weight=4, sequences=False),
    Shop(platform="lazada", account="shop-th-1", languages=("th", "en"), weight=3, ahead_ms=3_200),
    Shop(platform="aliexpress", account="mall-es", languages=("es", "pt", "en"), weight=2.5, sequences=False),
    Shop(platform="tiktok", account="live-vn", languages=("vi", "en"), weight=3),
    Shop(platform="whatsapp", account="care-br", languages=("pt", "es"), weight=2),
    Shop(platform="line", account="shop-jp-2", languages=("ja", "zh"), weight=2),
    Shop(platform="mercadolibre", account="tienda-mx", languages=("es",), weight=2, sequences=False, ahead_ms=41_000),
    Shop(platform="shopee", account="shop-id-2", languages=("id", "en"), weight=2),
    Shop(platform="email", account="help-eu", languages=("de", "en"), weight=1.5, sequences=False, history=3),
    Shop(platform="ebay", account="outlet-kr", languages=("ko", "en"), weight=1.5, sequences=False),
    Shop(platform="temu", account="shop-cn-9", languages=("zh", "en", "de"), weight=2),
)


def shops(count: int | None, messages: int, mark: str = "") -> tuple[Shop, ...]:
    """The first `count` shops; more than there are become further accounts of the same platforms.

    `mark` is put behind the name of every account.
    """
    wanted = count if count is not None else min(len(SHOPS), max(FEWEST, messages // 500))
    first = tuple(
        SHOPS[i % len(SHOPS)] if i < len(SHOPS) else _branch(SHOPS[i % len(SHOPS)], i // len(SHOPS) + 1)
        for i in range(max(1, wanted))
    )
    return tuple(replace(shop, account=f"{shop.account}-{mark}") for shop in first) if mark else first


def _branch(shop: Shop, number: int) -> Shop:
    return replace(shop, account=f"{shop.account}-b{number}", history=0)
