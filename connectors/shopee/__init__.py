"""Shopee: seller chat of a shop, pushed and answered."""

from __future__ import annotations

from connectors.shopee.inbound import BLOCKED
from connectors.shopee.shop import Shopee

__all__ = ["BLOCKED", "Shopee"]
