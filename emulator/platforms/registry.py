"""Every emulated platform: the one list."""

from __future__ import annotations

from emulator.platforms.aliexpress import AliExpress
from emulator.platforms.amazon import Amazon
from emulator.platforms.contract import Platform
from emulator.platforms.ebay import Ebay
from emulator.platforms.lazada import Lazada
from emulator.platforms.line import Line
from emulator.platforms.mercadolibre import MercadoLibre
from emulator.platforms.pages import Instagram, Messenger
from emulator.platforms.shopee import Shopee
from emulator.platforms.shopify import Shopify
from emulator.platforms.telegram import Telegram
from emulator.platforms.tiktok import TikTok
from emulator.platforms.whatsapp import WhatsApp
from emulator.platforms.woocommerce import WooCommerce

PLATFORMS: tuple[type[Platform], ...] = (
    Shopee,
    Lazada,
    TikTok,
    MercadoLibre,
    Ebay,
    AliExpress,
    Messenger,
    Instagram,
    WhatsApp,
    Telegram,
    Line,
    Shopify,
    WooCommerce,
    Amazon,
)
