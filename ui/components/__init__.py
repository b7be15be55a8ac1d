"""Small Vue components for what moves: they fetch their data and get pushed what changes.

One JavaScript file each, no build step; shared code is the module `weir-core` (core/). Every text comes from the
catalogue. Add one: a file here and a class below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nicegui import ui

CORE = Path(__file__).parent / "core"
MODULES = {
    "weir-core": CORE,
    "weir-tuning": CORE.parent / "tuning",
    "weir-admin": CORE.parent / "admin",
    "weir-inbox": CORE.parent / "inbox",
    "weir-context": CORE.parent / "context",
    "weir-thread": CORE.parent / "thread",
    "weir-workload": CORE.parent / "workload",
}
"""Names under which components import what they share."""


class Rail(ui.element, component="rail.js"):
    """The navigation. Emits `prefer` with {lang} or {theme}."""

    def __init__(self, *, home: str, items: Sequence[Mapping[str, str]], theme: str, role: str) -> None:
        super().__init__()
        self.props["home"] = home
        self.props["items"] = list(items)
        self.props["theme"] = theme
        self.props["role"] = role


class Toasts(ui.element, component="toasts.js"):
    """Short messages at the edge: what an action did."""


class Palette(ui.element, component="palette.js"):
    """Ctrl+K: goes to a page, or finds a conversation, a customer, an order, a message."""

    def __init__(self, *, pages: Sequence[Mapping[str, str]]) -> None:
        super().__init__()
        self.props["pages"] = list(pages)


class MuteDialog(ui.element, component="mute_dialog.js"):
    """Asks what to mute, for how long and why."""


class MuteList(ui.element, component="mute_list.js"):
    """Every mute."""


class Fed(ui.element):
    """A component that starts from the address line's query."""

    def __init__(self, query: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.props["query"] = dict(query or {})


class MonitorBar(Fed, component="monitor_bar.js"):
    """Title, live badge, pause, range, filters, search; owns the monitor's store and keys."""


class Tiles(ui.element, component="tiles.js"):
    """Row A: the numbers in their order."""


class FlowChart(ui.element, component="flow_chart.js"):
    """Throughput and end-to-end delay over time."""


class Matrix(ui.element, component="matrix.js"):
    """Channel by channel: the heart of the monitor."""


class HeatMap(ui.element, component="heat_map.js"):
    """Anomalies by platform and kind, or by kind and hour."""


class Platforms(ui.element, component="platforms.js"):
    """Platforms side by side."""


class Transport(ui.element, component="transport.js"):
    """Response time that was used up before Weir had the messages, by platform."""


class SlaBoard(ui.element, component="sla_board.js"):
    """How many promises are kept, at risk and broken, by platform."""


class Incidents(ui.element, component="incidents.js"):
    """The incidents and the one that is selected."""


class ChannelView(Fed, component="channel_view.js"):
    """One channel: its state, numbers, traffic and incidents."""


class AnomalyList(Fed, component="anomaly_list.js"):
    """The anomalies behind a number."""


class ConversationList(Fed, component="conversation_list.js"):
    """Conversations found by a search or behind a number."""


class SearchPage(Fed, component="search_page.js"):
    """Every message, by words, filters and time."""


class ConversationView(Fed, component="conversation_view.js"):
    """The messages of one conversation."""


class TraceView(Fed, component="trace_view.js"):
    """One message's life, hop by hop."""


class ThresholdStudio(Fed, component="threshold_studio.js"):
    """Thresholds: what there is, what was measured, what a change would do, and every version."""


class SettingsProfile(ui.element, component="settings_profile.js"):
    """One's own account."""


class SettingsAlerts(ui.element, component="settings_alerts.js"):
    """How one wants to be told of messages, whether it works, and whom it reaches."""


class SettingsUsers(ui.element, component="settings_users.js"):
    """People and their roles."""


class SettingsTeams(ui.element, component="settings_teams.js"):
    """Teams, and who answers which channel."""


class SettingsTemplates(ui.element, component="settings_templates.js"):
    """Templates of replies."""


class SettingsTokens(ui.element, component="settings_tokens.js"):
    """API tokens."""


class SettingsChannels(ui.element, component="settings_channels.js"):
    """Channels bound to their platforms."""


class SettingsAudit(Fed, component="settings_audit.js"):
    """The log of changes."""


class SettingsOutbox(ui.element, component="settings_outbox.js"):
    """Replies that did not get through, or of which nobody knows."""


class SettingsLabels(ui.element, component="settings_labels.js"):
    """The catalogue of labels and the words behind them."""


class SettingsLetters(ui.element, component="settings_letters.js"):
    """What could not be applied."""


class InboxFrame(ui.element, component="inbox_frame.js"):
    """The inbox's panes, in the slots `list`, `head`, `thread`, `composer` and `context`; its keys, menus and rings."""


class InboxList(ui.element, component="inbox_list.js"):
    """The list of conversations with tabs, filters and saved views."""


class InboxHead(ui.element, component="inbox_head.js"):
    """The open conversation's head: who has it, who looks at it, and what can be done."""


class InboxContext(ui.element, component="inbox_context.js"):
    """The customer beside the open conversation: orders, identities, history, health. Slot `actions` below orders."""


class Customers(Fed, component="customers.js"):
    """Every customer, and one of them with everything that was said."""


class WorkloadPage(Fed, component="workload_page.js"):
    """Who has how much that waits, what is due, and how response clocks ended."""


class InboxThread(ui.element, component="inbox_thread.js"):
    """What was said, noted and done in a conversation: in the given one, else in the one the inbox has open."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__()
        if key is not None:
            self.props["conversation-key"] = key


class InboxComposer(ui.element, component="inbox_composer.js"):
    """Where a reply or a note is written, for the given conversation, else for the one the inbox has open."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__()
        if key is not None:
            self.props["conversation-key"] = key
