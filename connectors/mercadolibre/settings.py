"""What binding a seller takes: the application's words, and what is asked for only where a setting says so."""

from __future__ import annotations

from connectors.contract.asking import API_URL, AUTH_URL
from connectors.contract.connector import Setting

SETTINGS = (
    Setting(
        name="webhook_key",
        about="a long word of your own choice; put it behind the callback address as ?key=word, for nothing "
        "else proves a notification",
    ),
    Setting(name="client_id", about="the application's number: My applications", secret=False),
    Setting(name="client_secret", about="the secret key beside it; needed to authorise", required=False),
    Setting(name="seller_id", about="the seller's user number; what it wrote is your own", secret=False),
    Setting(
        name="site",
        about="the site's three letters, such as MLB; needed for files and to authorise",
        secret=False,
        required=False,
    ),
    Setting(
        name="agent_id",
        about="user number of the site's agent when answers must go to it; unconfirmed, so that without it they "
        "go to whoever wrote last",
        secret=False,
        required=False,
    ),
    Setting(
        name="questions",
        about="`yes` to take and answer questions before a sale, too; unconfirmed, so that it is off otherwise",
        secret=False,
        required=False,
    ),
    Setting(
        name="missed_feeds",
        about="`yes` to ask for the notifications that did not get through, too, when the history is read;"
        " unconfirmed, so that it is off otherwise",
        secret=False,
        required=False,
    ),
    Setting(
        name="reasons",
        about="`yes` to begin messages after a sale, for one of the reasons that Mercado Libre has; unconfirmed, so"
        " that it is off otherwise",
        secret=False,
        required=False,
    ),
    Setting(name="access_token", about="set when the channel is authorised; messages need it", required=False),
    Setting(name="refresh_token", about="set when the channel is authorised", required=False),
    API_URL,
    AUTH_URL,
)

__all__ = ["SETTINGS"]
