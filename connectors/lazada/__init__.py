"""Lazada: buyer chat of a seller, pushed and answered."""

from __future__ import annotations

from connectors.lazada.seller import Lazada

__all__ = ["Lazada"]
