"""LINE: webhooks of an official account, and what it sends."""

from __future__ import annotations

from connectors.line.outbound import Line

__all__ = ["Line"]
