"""WhatsApp Cloud API: a business phone number."""

from __future__ import annotations

from connectors.contract.connector import Capabilities, Limits, Setting
from connectors.meta.webhooks import APP_SECRET, VERIFY_TOKEN
from connectors.whatsapp.inbound import WhatsAppWebhooks

_DAY_MS = 24 * 3_600 * 1_000


class WhatsApp(WhatsAppWebhooks):
    """One business phone number."""

    settings = (
        APP_SECRET,
        VERIFY_TOKEN,
        Setting(
            name="phone_number_id",
            about="the phone number's id: App Dashboard, WhatsApp, API setup; when it is given, what is for the "
            "account's other numbers is refused",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "delivered", "read", "failed"}), edits=True, deletes=True, echoes=True
    )
    limits = Limits(text=4_096, window_ms=_DAY_MS)
