"""What a platform still holds: windows of its history, pointers to single things, and the state of a channel there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field


class Window(Struct, frozen=True, kw_only=True):
    """A span of event time, since <= sent_at < until (ms), of the whole channel or of one conversation."""

    since: int
    until: int
    conversation: str | None = None


class Pointer(Struct, frozen=True, kw_only=True):
    """A webhook that only names what happened: it is fetched afterwards. `id` is unique within the channel.

    `about`: what the connector needs to fetch it, plain JSON.
    """

    id: str
    about: Mapping[str, str] = field(default_factory=dict[str, str])


class Probe(Struct, frozen=True, kw_only=True):
    """How a channel stands at its platform. Times in ms.

    `auth`: as in the `auth` event; `subscription`: whether webhooks are sent to us; `lacking`: permissions that are
    needed and were not given; `detail`: a sentence for people, without secrets.
    """

    auth: Literal["ok", "expiring", "expired", "revoked"] = "ok"
    expires_at: int | None = None
    subscription: Literal["active", "disabled", "unknown"] = "unknown"
    lacking: tuple[str, ...] = ()
    detail: str = ""


class Pace(Struct, frozen=True, kw_only=True):
    """How often a platform may be asked, and how it is swept.

    `requests` in `per_s` seconds for one account; a sweep every `sweep_s` that looks `depth_s` back. `conversations`:
    history is only there by conversation; `complete`: a window's listing names every message of it, so that it may
    stand as a checkpoint.
    """

    requests: int = 5
    per_s: float = 1.0
    sweep_s: int = 900
    depth_s: int = 3_600
    conversations: bool = False
    complete: bool = True
