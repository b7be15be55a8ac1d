"""Every emulated platform: the one list."""

from __future__ import annotations

from emulator.platforms.contract import Platform
from emulator.platforms.lazada import Lazada
from emulator.platforms.line import Line
from emulator.platforms.pages import Instagram, Messenger
from emulator.platforms.shopee import Shopee
from emulator.platforms.telegram import Telegram
from emulator.platforms.tiktok import TikTok
from emulator.platforms.whatsapp import WhatsApp

PLATFORMS: tuple[type[Platform], ...] = (
    Shopee,
    Lazada,
    TikTok,
    Messenger,
    Instagram,
    WhatsApp,
    Telegram,
    Line,
)
