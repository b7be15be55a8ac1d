"""eBay: messages of members, after "Message API" and "Notification API" of its developer programme.

A notification NEW_MESSAGE is taken as a pointer, for the fields of its `data` are unconfirmed; the message it names is
fetched. When an account is deleted at eBay (MARKETPLACE_ACCOUNT_DELETION) the orders of that customer are forgotten;
messages stay, they are to be deleted by hand. Questions on listings (BUYER_QUESTION) are not read. Unconfirmed are the
order of listings, so that all pages are read, the page of consent (setting `auth_url`), and how long tokens live, which
the answers tell.
"""

from __future__ import annotations

from connectors.ebay.connector import Ebay

__all__ = ["Ebay"]
