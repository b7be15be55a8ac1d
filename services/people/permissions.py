"""Who may do what: one table, asked by the API, the screens and the command line alike.

Which conversations somebody may do it with is another question: services/inbox/scope.py answers it.
"""

from typing import Literal, get_args

from msgspec import Struct

from actors.errors import RejectedError
from services.errors import ForbiddenError
from storage.records import Role

Permission = Literal[
    "view_health",
    "view_messages",
    "act_on_anomalies",
    "reply",
    "note",
    "label",
    "assign",
    "view_coverage",
    "view_workload",
    "manage_teams",
    "mute",
    "view_thresholds",
    "preview_thresholds",
    "change_thresholds",
    "ingest",
    "view_audit",
    "view_dead_letters",
    "resolve_dead_letters",
    "manage_users",
    "manage_tokens",
    "manage_channels",
    "manage_templates",
    "manage_labels",
]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_READ: frozenset[Permission] = frozenset({"view_health", "view_messages", "view_thresholds"})
_AFTER_SALES: frozenset[Permission] = _READ | frozenset[Permission]({"reply", "note", "label", "assign"})
_AGENT: frozenset[Permission] = _AFTER_SALES | frozenset[Permission]({"act_on_anomalies"})
_SUPERVISOR: frozenset[Permission] = _AGENT | frozenset[Permission](
    {
        "mute",
        "view_coverage",
        "view_workload",
        "preview_thresholds",
        "ingest",
        "view_audit",
        "view_dead_letters",
        "resolve_dead_letters",
        "manage_templates",
    }
)
TABLE: dict[Role, frozenset[Permission]] = {
    "admin": frozenset(PERMISSIONS),
    "supervisor": _SUPERVISOR,
    "agent": _AGENT,
    "finance": _READ | frozenset[Permission]({"view_audit", "note"}),
    "after_sales": _AFTER_SALES,
    "product": _READ,
    "operations": _READ | frozenset[Permission]({"act_on_anomalies"}),
    "viewer": _READ,
}


class Caller(Struct, frozen=True, kw_only=True):
    """Whoever asks: a person in a browser (`session`), a program (`token`) or the command line (`cli`)."""

    name: str
    role: Role
    via: Literal["session", "token", "cli"]
    credential: str = ""
    """Digest of the session or token that proved it; empty for the command line."""


def can(role: Role, permission: Permission) -> bool:
    """Whether a role carries a permission."""
    return permission in TABLE[role]


def home_of(role: Role) -> str:
    """The path that somebody of this role begins at: who answers customers in the inbox, others at the monitor."""
    return "/inbox" if role == "agent" else "/"


def demand(caller: Caller, permission: Permission) -> None:
    """Return when the caller may; raises ForbiddenError that names the roles which may."""
    if not can(caller.role, permission):
        allowed = " or ".join(role for role in ROLES if can(role, permission))
        raise ForbiddenError(f"{permission} needs the role {allowed}; {caller.name} has {caller.role}")


def check_role(text: str) -> Role:
    """The role of that name; raises RejectedError naming the ones there are."""
    for role in ROLES:
        if role == text:
            return role
    raise RejectedError(f"unknown role {text!r}; the roles are {', '.join(ROLES)}")
