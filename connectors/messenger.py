"""Facebook Messenger: webhooks of a Page.

After Meta's "Messenger Platform: Webhook Events Reference". Reads come as a watermark only and give no receipts.
"""

from __future__ import annotations

from connectors.contract.connector import Capabilities, Setting
from connectors.contract.outgoing import Limits
from connectors.meta.webhooks import APP_SECRET, VERIFY_TOKEN, PageConnector

_DAY_MS = 24 * 3_600 * 1_000


class Messenger(PageConnector):
    """One Page. A conversation is the person's page-scoped id."""

    platform = "messenger"
    about = "page"
    own_id = "page_id"
    settings = (
        APP_SECRET,
        VERIFY_TOKEN,
        Setting(
            name="page_id",
            about="the Page's id: Page, About, Page transparency; when it is given, what is for other Pages is refused",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted", "delivered"}), edits=True, echoes=True)
    limits = Limits(text=2_000, window_ms=_DAY_MS)
