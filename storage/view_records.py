"""Saved views: a filter of the inbox under a name."""

from __future__ import annotations

from msgspec import Struct, field


class SavedView(Struct, frozen=True, kw_only=True):
    """One person's view; with `shared` everybody finds it. `query`: what the address line of the inbox holds.

    `at`: when it was last changed (ms); `version` grows with every change.
    """

    id: str
    owner: str
    name: str
    at: int
    shared: bool = False
    query: dict[str, str] = field(default_factory=dict[str, str])
    version: int = 1
