"""Telegram: a bot."""

from __future__ import annotations

from connectors.contract.connector import Capabilities, Limits, Setting
from connectors.telegram.inbound import TelegramWebhooks


class Telegram(TelegramWebhooks):
    """One bot."""

    settings = (
        Setting(
            name="secret_token",
            about="a token of your own choice (1 to 256 of A-Z a-z 0-9 _ -), given to Telegram as secret_token with "
            "setWebhook; it proves that a request comes from Telegram",
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), edits=True, deletes=True, echoes=True)
    limits = Limits(text=4_096)
