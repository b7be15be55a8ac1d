"""Mercado Libre: post-sale messages, after "Notifications" and "Post-sale messages" of its developers' documentation.

A notification only points to a message and nothing signs it: it is believed when it came to the address with our word
in it and names our application, and what it points to is fetched with the seller's token. A conversation is a pack,
or an order that has none. Who writes in a buyer's name may be an agent of Mercado Libre: the role of one that is
known here is left open. Unconfirmed are to whom answers go then (setting `agent_id`), and the bodies of answers sent,
of uploads and of tokens; and as a whole, each behind a setting and off otherwise, questions before a sale
(`questions`), notifications that did not get through (`missed_feeds`) and messages that the seller begins (`reasons`).

`connector.py` is the connector; `notifications.py` reads what points, `messages.py` and `questions.py` what is fetched,
`history.py` what is listed; `outbound.py` answers, `reasons.py` begins; `authorising.py` and `asking.py` are the way.
"""

from __future__ import annotations

from connectors.mercadolibre.connector import MercadoLibre

__all__ = ["MercadoLibre"]
