"""Telegram: updates that a bot's webhook is sent, and what the bot sends."""

from __future__ import annotations

from connectors.telegram.outbound import Telegram

__all__ = ["Telegram"]
