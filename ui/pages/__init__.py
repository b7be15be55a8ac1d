"""The pages, one file each. Add one: a file here with a `PAGE`, and its line in PAGES; a test proves none is missing.

A page builder gets a `Visit` and draws; it asks services and keeps nothing. Pages with an `icon` stand in the rail, in
this order. A page is registered only for roles that have its `permission`, so for others it does not exist.
"""

from ui.pages import (
    anomalies,
    channel,
    conversation,
    conversations,
    customers,
    inbox,
    monitor,
    mutes,
    search,
    settings,
    settings_alerts,
    settings_audit,
    settings_channels,
    settings_labels,
    settings_letters,
    settings_outbox,
    settings_teams,
    settings_templates,
    settings_tokens,
    settings_users,
    thresholds,
    trace,
    workload,
)
from ui.pages.page import Page

PAGES: tuple[Page, ...] = (
    monitor.PAGE,
    inbox.PAGE,
    search.PAGE,
    conversations.PAGE,
    customers.PAGE,
    workload.PAGE,
    channel.PAGE,
    anomalies.PAGE,
    conversation.PAGE,
    trace.PAGE,
    mutes.PAGE,
    thresholds.PAGE,
    settings.PAGE,
    settings_alerts.PAGE,
    settings_users.PAGE,
    settings_teams.PAGE,
    settings_tokens.PAGE,
    settings_templates.PAGE,
    settings_channels.PAGE,
    settings_audit.PAGE,
    settings_labels.PAGE,
    settings_letters.PAGE,
    settings_outbox.PAGE,
)

__all__ = ["PAGES", "Page"]
