"""How each platform delivers its webhooks: how long it waits, when it tries again, what makes it stop.

After the platforms' pages on pushes and webhooks. What no page tells is marked unconfirmed in `unconfirmed`.
"""

from __future__ import annotations

from msgspec import Struct

MINUTE, HOUR = 60, 3_600


class Rules(Struct, frozen=True, kw_only=True):
    """`timeout_s`: how long it waits for an answer; `retries_s`: pauses before each further attempt.

    `only_200`: other answers of 2xx are failures too; `ordered`: nothing overtakes what is tried again;
    `disable_after`: so many deliveries given up one after the other switch the webhook off (0: never);
    `disable_share`: so does this share of failures among the last `window` attempts (0: never).
    `unconfirmed`: which of these figures no page tells.
    """

    timeout_s: float
    retries_s: tuple[float, ...]
    only_200: bool = False
    ordered: bool = False
    disable_after: int = 0
    disable_share: float = 0.0
    window: int = 20
    unconfirmed: tuple[str, ...] = ()


RULES: dict[str, Rules] = {
    "shopee": Rules(timeout_s=2, retries_s=(1, 2, 3), ordered=True, disable_after=30, unconfirmed=("disable_after",)),
    "lazada": Rules(timeout_s=0.5, retries_s=(30 * MINUTE,) * 12, only_200=True, disable_share=0.5),
    "tiktok": Rules(timeout_s=5, retries_s=(10, MINUTE, 10 * MINUTE, HOUR), unconfirmed=("timeout_s", "retries_s")),
    "messenger": Rules(
        timeout_s=20,
        retries_s=(5, 30, 5 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR),
        disable_after=50,
        unconfirmed=("timeout_s", "retries_s", "disable_after"),
    ),
    "instagram": Rules(
        timeout_s=20,
        retries_s=(5, 30, 5 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR),
        disable_after=50,
        unconfirmed=("timeout_s", "retries_s", "disable_after"),
    ),
    "whatsapp": Rules(
        timeout_s=20,
        retries_s=(5, 20, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR, 72 * HOUR),
        unconfirmed=("timeout_s",),
    ),
    "telegram": Rules(
        timeout_s=60,
        retries_s=(1, 2, 4, 8, 16, 32, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, HOUR, HOUR),
        ordered=True,
        unconfirmed=("timeout_s", "retries_s"),
    ),
    "line": Rules(
        timeout_s=2,
        retries_s=(10, MINUTE, 5 * MINUTE, 30 * MINUTE),
        disable_after=100,
        unconfirmed=("timeout_s", "retries_s", "disable_after"),
    ),
    "mercadolibre": Rules(
        timeout_s=0.5,
        retries_s=(15, 2 * MINUTE, 10 * MINUTE, 45 * MINUTE),
        disable_after=10,
        unconfirmed=("retries_s", "disable_after"),
    ),
    "ebay": Rules(
        timeout_s=10,
        retries_s=(10, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR),
        disable_after=30,
        unconfirmed=("timeout_s", "retries_s", "disable_after"),
    ),
    "shopify": Rules(
        timeout_s=5,
        retries_s=(30, MINUTE, 3 * MINUTE, 8 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, 108 * MINUTE),
        disable_after=1,
    ),
    "woocommerce": Rules(timeout_s=60, retries_s=(), disable_after=5),
    "aliexpress": Rules(timeout_s=1, retries_s=()),
    "amazon": Rules(timeout_s=1, retries_s=()),
}
