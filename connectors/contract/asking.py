"""What connectors share that ask their platform: settings they cannot do without, answers, what an error may tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from connectors.contract import reading
from connectors.contract.calling import ApiResponse, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Binding, Setting, UnreadableError
from connectors.contract.reading import Document

_SHORTEST_SECRET = 4
"""Anything shorter is in many a sentence by chance."""
API_URL = Setting(
    name="api_url",
    about="another address of the platform's API, such as an emulator's or a proxy's; leave it out otherwise",
    secret=False,
    required=False,
)
AUTH_URL = Setting(
    name="auth_url",
    about="another address of the pages where access is given, such as an emulator's; leave it out otherwise",
    secret=False,
    required=False,
)


def needed(binding: Binding, name: str) -> str:
    """A setting that receiving does without; raises RefusedError that names it when it is missing or blank."""
    found = binding.settings.get(name, "")
    if not found.strip():
        raise RefusedError(
            f"the channel's setting `{name}` is missing; give it in Settings, Channels or with `weir channel add`",
            "setting_missing",
        )
    return found


def address(binding: Binding, setting: str, otherwise: str) -> str:
    """The host to ask, without a slash at its end: the setting's, else the platform's own."""
    return (binding.settings.get(setting) or otherwise).rstrip("/")


def answered(response: ApiResponse) -> Document:
    """The JSON object of an answer; raises UncertainError when it is none, for what it was about may have been done."""
    try:
        return reading.document(response.body)
    except UnreadableError as wrong:
        raise UncertainError(f"the platform's answer ({response.status}) says nothing: {wrong}") from wrong


def told(response: ApiResponse) -> Document:
    """The JSON object of an answer that is an error already; an empty one when it has none."""
    try:
        return reading.document(response.body)
    except UnreadableError:
        return {}


@contextmanager
def nothing_sent() -> Iterator[None]:
    """For the calls before the one that sends: whatever became of them, no message went out, so all may be repeated."""
    try:
        yield
    except UncertainError as unknown:
        raise UnreachableError(str(unknown)) from unknown


def discreet(reason: str, settings: Sequence[Setting], values: Mapping[str, str], *more: str) -> str:
    """What a platform says, without the channel's secrets and `more` of them, for some platforms repeat them."""
    known = [values.get(one.name, "") for one in settings if one.secret]
    for secret in sorted((*known, *more), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            reason = reason.replace(secret, "***")
    return reason


__all__ = ["API_URL", "AUTH_URL", "address", "answered", "discreet", "needed", "nothing_sent", "told"]
