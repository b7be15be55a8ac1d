"""TikTok Shop: buyer chat of a shop, pushed and answered."""

from __future__ import annotations

from connectors.tiktok.shop import TikTok

__all__ = ["TikTok"]
