"""Instagram messaging: webhooks of a professional account.

After Meta's "Webhooks for Instagram Messaging" and "Instagram Platform Webhook Notification Examples".
"""

from __future__ import annotations

from connectors.contract.connector import Capabilities, Limits, Setting
from connectors.meta.webhooks import APP_SECRET, VERIFY_TOKEN, PageConnector

_DAY_MS = 24 * 3_600 * 1_000


class Instagram(PageConnector):
    """One professional account. A conversation is the person's Instagram-scoped id."""

    platform = "instagram"
    about = "instagram"
    own_id = "account_id"
    settings = (
        APP_SECRET,
        VERIFY_TOKEN,
        Setting(
            name="account_id",
            about="the professional account's id, as the app's dashboard shows it; when it is given, what is for "
            "other accounts is refused",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted", "read"}), edits=True, deletes=True, echoes=True)
    limits = Limits(text=1_000, unit="bytes", window_ms=_DAY_MS)  # bytes: what fits them fits characters too
