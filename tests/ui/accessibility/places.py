"""Where the walk through the product goes: every page with something on it, and what opens on it."""

from __future__ import annotations

from typing import NamedTuple

ADD = ".w-card-head .w-btn.is-primary, .page-head .w-btn.is-primary"
DIALOG = ".w-dialog"


class Opened(NamedTuple):
    """What opens when a key is pressed (`key`) or a button (`button`, a selector): it is looked at by itself."""

    shows: str
    key: str = ""
    button: str = ""


class Place(NamedTuple):
    """An address; `ready`: what is there once all is loaded; `only`: on the `desk` or the `phone` alone."""

    path: str
    ready: tuple[str, ...]
    opens: tuple[Opened, ...] = ()
    only: str = ""


TALK = "/inbox?tab=all&key=webchat%2Fshop%2Fc1"
HELP, ASSIGN = Opened(".ib-help", key="?"), Opened(".ib-menu:has(.ib-menu-option)", key="a")
TEMPLATES = Opened(".cp-picker li", button=".cp-foot .w-btn")
PALETTE = Opened(".pal-item", key="Control+k")
ADDING = Opened(DIALOG, button=ADD)

PLACES = (
    Place("/login?error=credentials", (".login-card", ".login-error")),
    Place("/", (".tile-value", ".inc-row", ".mx-row"), (PALETTE,)),
    Place(TALK, (".ib-row .ib-name", ".th-msg", ".cp-text", ".ctx-head"), (HELP, ASSIGN, TEMPLATES), "desk"),
    Place("/inbox?tab=all", (".ib-row .ib-name",), (), "phone"),
    Place(TALK, (".th-msg", ".cp-text"), (TEMPLATES,), "phone"),
    Place(f"{TALK}&pane=context", (".ctx-head",), (), "phone"),
    Place("/inbox?tab=snoozed", (".ib-empty",), (), "desk"),
    Place("/search?q=parcel", (".find-hit",)),
    Place("/conversations", (".conv-row",)),
    Place("/customers", (".cust-row",), (Opened(".cust-one .ctx-block", button=".cust-row"),)),
    Place("/workload", (".wl-person", ".wl-platform"), (Opened(".wl-terms dl", button=".wl-terms summary"),)),
    Place("/channels?key=shopee%2Fsg-1", (".chan-facts", ".inc-row")),
    Place("/anomalies", ("td[data-cell=main]",)),
    Place("/conversation?key=webchat%2Fshop%2Fc1", (".bubble",)),
    Place("/trace?key=webchat%2Fshop%2Fc1&message=m5", (".hop",)),
    Place("/mutes", (".mute-table tbody tr",), (ADDING,)),
    Place("/thresholds", (".tun-work", ".tun-tree")),
    Place("/settings", (".set-form",)),
    Place("/settings/notifications", (".al-switch",)),
    Place("/settings/users", (".set-table tbody tr",), (ADDING,)),
    Place("/settings/teams", (".set-table tbody tr",), (ADDING,)),
    Place("/settings/tokens", (".set-table tbody tr",), (ADDING,)),
    Place("/settings/templates", (".set-table tbody tr",), (ADDING,)),
    Place("/settings/channels", (".ch-list",), (ADDING,)),
    Place("/settings/audit", (".set-log li",)),
    Place("/settings/labels", (".set-table tbody tr",), (ADDING,)),
    Place("/settings/dead-letters", (".set-letters li",)),
    Place("/settings/outbox", (".set-letters li",)),
)
