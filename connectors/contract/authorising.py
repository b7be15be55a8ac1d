"""How a channel is authorised by a person in a browser: the OAuth 2 authorisation-code flow and its platforms' ways.

RFC 6749 (section 4.1), RFC 7636 (PKCE). What is granted are settings of the channel's binding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


class OAuth(Struct, frozen=True, kw_only=True):
    """What a platform's flow is like. `scopes`: those that Weir needs; `pkce`: whether it takes a code challenge.

    `grants`: the names of the settings that the flow sets, so that nobody types them.
    """

    grants: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    pkce: Literal["S256", "none"] = "none"


class Ask(Struct, frozen=True, kw_only=True):
    """One run of the flow, begun `at` (ms): `state` comes back with the answer; `challenge` is empty without PKCE."""

    at: int
    state: str
    redirect: str
    challenge: str = ""


class Reply(Struct, frozen=True, kw_only=True):
    """What the platform's redirect brought: its query, and what belongs to the run it answers."""

    query: Mapping[str, str]
    redirect: str
    verifier: str = ""

    def __repr__(self) -> str:
        """Without the code."""
        return "Reply()"


class Grant(Struct, frozen=True, kw_only=True):
    """What was granted: settings to keep, when they run out (ms; None: never), and the permissions (None: not told).

    `refresh_by`: until when the grant can be renewed without a person.
    """

    settings: Mapping[str, str]
    expires_at: int | None = None
    refresh_by: int | None = None
    scopes: frozenset[str] | None = None

    def __repr__(self) -> str:
        """Without the tokens."""
        return f"Grant(expires_at={self.expires_at!r})"
