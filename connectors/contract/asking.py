"""What connectors share that ask a platform in JSON: its address, and what its answers hold."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from actors.errors import RejectedError
from connectors.contract import reading
from connectors.contract.calling import ApiResponse, UncertainError
from connectors.contract.connector import Binding, Setting, UnreadableError
from connectors.contract.reading import Document

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

MARK_READ = Setting(
    name="mark_read",
    about="yes to tell the platform that a conversation was read once somebody who may answer opens it here; left out "
    "otherwise, since customers may be shown it",
    secret=False,
    required=False,
)


def address(binding: Binding, setting: str, otherwise: str) -> str:
    """The host to ask, without a slash at its end: the setting's, else the platform's own."""
    return (binding.settings.get(setting) or otherwise).rstrip("/")


def says_yes(binding: Binding, name: str) -> bool:
    """Whether an optional setting is `yes`; raises RejectedError when it is neither that nor `no`."""
    found = binding.settings.get(name) or "no"
    if found not in {"yes", "no"}:
        raise RejectedError(f"settings: {name} is `yes` or `no`")
    return found == "yes"


def answered(response: ApiResponse) -> Document:
    """The JSON object of an answer; raises UncertainError when it is none, for what was asked may have been done."""
    try:
        return reading.document(response.body)
    except UnreadableError as wrong:
        raise UncertainError(f"the platform's answer ({response.status}) says nothing: {wrong}") from wrong


@contextmanager
def readable() -> Generator[None]:
    """Around the reading of an answer: one whose parts cannot be read says nothing, which is an UncertainError."""
    try:
        yield
    except UnreadableError as wrong:
        raise UncertainError(f"the platform's answer says nothing: {wrong}") from wrong


def told(response: ApiResponse) -> Document:
    """The JSON object of an answer whatever it means; an empty one when it has none."""
    try:
        return reading.document(response.body)
    except UnreadableError:
        return {}


__all__ = ["API_URL", "AUTH_URL", "MARK_READ", "address", "answered", "readable", "says_yes", "told"]
