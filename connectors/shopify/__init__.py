"""Shopify: orders and their customers beside conversations, after "Webhooks" and "GraphQL Admin API". It has no chat.

A customer to be redacted (`customers/redact`) is forgotten with the orders; requests for data, and for the redaction of
a shop, are acknowledged, and a person must answer them. Unconfirmed are the bodies of the privacy topics and that
webhooks made in a shop's own admin are signed with another secret (setting `webhook_secret`). Orders older than 60 days
are only told to apps that may read all.
"""

from __future__ import annotations

from connectors.shopify.connector import Shopify

__all__ = ["Shopify"]
