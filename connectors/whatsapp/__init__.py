"""WhatsApp Cloud API: webhooks of a business phone number, and what is sent from it."""

from __future__ import annotations

from connectors.whatsapp.outbound import WhatsApp

__all__ = ["WhatsApp"]
