"""Every connector there is: the one list, in the order people see."""

from __future__ import annotations

from connectors.aliexpress import AliExpress
from connectors.amazon.connector import Amazon
from connectors.contract.connector import Connector
from connectors.ebay import Ebay
from connectors.email.connector import Email
from connectors.instagram import Instagram
from connectors.lazada import Lazada
from connectors.line import Line
from connectors.mercadolibre import MercadoLibre
from connectors.messenger import Messenger
from connectors.shopee import Shopee
from connectors.shopify import Shopify
from connectors.telegram import Telegram
from connectors.tiktok import TikTok
from connectors.webchat import Webchat
from connectors.webhook import GenericWebhook
from connectors.whatsapp import WhatsApp
from connectors.woocommerce import WooCommerce

CONNECTORS: tuple[type[Connector], ...] = (
    Amazon,
    Shopee,
    Lazada,
    TikTok,
    Ebay,
    MercadoLibre,
    AliExpress,
    Shopify,
    WooCommerce,
    Messenger,
    Instagram,
    WhatsApp,
    Telegram,
    Line,
    Email,
    Webchat,
    GenericWebhook,
)

BY_PLATFORM = {connector.platform: connector for connector in CONNECTORS}
