"""What a channel's binding must be like, held against what its connector wants. No error ever tells a value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from actors.errors import RejectedError
from connectors.contract.connector import Connector
from storage.records import BoundChannel

LONGEST_ACCOUNT = 256
LONGEST_URL = 2_048
LONGEST_VALUE = 16_384
SHOWN = 64


def kind_of(connectors: Mapping[str, type[Connector]], platform: str) -> type[Connector]:
    """The connector of a platform; raises RejectedError that names those there are."""
    if (kind := connectors.get(platform)) is None:
        there = ", ".join(sorted(connectors)) or "none in this version"
        raise RejectedError(f"platform: there is no connector for {platform[:SHOWN]!r}; there are: {there}")
    return kind


def check_account(account: str) -> None:
    """Return when it may name an account; raises RejectedError."""
    if not 0 < len(account) <= LONGEST_ACCOUNT or not account.isprintable() or account != account.strip():
        raise RejectedError(
            f"account: 1 to {LONGEST_ACCOUNT} printable characters without spaces around them, as the platform's"
            " events name it"
        )


def check_url(url: str) -> None:
    """Return when a platform could call this address; raises RejectedError. It is kept letter by letter."""
    wrong = _trouble_with(url)
    if wrong is not None:
        raise RejectedError(
            f"url: {wrong}; give the address that is registered at the platform, letter by letter, like"
            " https://weir.example.com/webhooks/shopee/shop-1"
        )


def _trouble_with(url: str) -> str | None:
    if len(url) > LONGEST_URL:
        return f"at most {LONGEST_URL} characters, not {len(url)}"
    if not url.isprintable() or " " in url:
        return "no spaces and no characters that cannot be seen"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "it begins with https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "no name and no password in it"
    return "nothing after a #: it is never sent" if "#" in url else None


def checked_settings(kind: type[Connector], settings: Mapping[str, str]) -> dict[str, str]:
    """The settings given, each known and with a value. Raises RejectedError that names the setting."""
    known = {one.name for one in kind.settings}
    found = {name: _whole_lines(value) for name, value in settings.items()}
    for name, value in found.items():
        if name not in known:
            there = ", ".join(one.name for one in kind.settings) or "none"
            raise RejectedError(f"settings: {kind.platform} knows no {name[:SHOWN]!r}; its settings are: {there}")
        if not value.strip():
            raise RejectedError(f"settings: {name} is empty; give its value, or leave it out")
        if value != value.strip():
            raise RejectedError(f"settings: {name} begins or ends with a space or a line break; paste it anew")
        if len(value) > LONGEST_VALUE:
            raise RejectedError(f"settings: {name} has {len(value)} characters; at most {LONGEST_VALUE} are kept")
        if not all(line.isprintable() for line in value.splitlines()):
            raise RejectedError(f"settings: {name} holds characters that cannot be seen; paste it anew")
    return found


def _whole_lines(value: str) -> str:
    """What has several lines, such as a certificate, without the line break at its end that every such file has."""
    return value.rstrip("\r\n") if "\n" in value.strip() else value


def check_unset(kind: type[Connector], names: Collection[str], given: Mapping[str, str]) -> None:
    """Return when these settings may be taken away; raises RejectedError that names the first that may not."""
    optional = {one.name for one in kind.settings if not one.required}
    for name in names:
        if name in given:
            raise RejectedError(f"settings: {name[:SHOWN]} is given and taken away at once; do one of them")
        if name not in optional:
            there = ", ".join(sorted(optional)) or "none"
            raise RejectedError(f"unset: {name[:SHOWN]!r} cannot be taken away; of {kind.platform} these can: {there}")


def missing_settings(kind: type[Connector], values: Mapping[str, str]) -> list[str]:
    """Names of required settings without a value."""
    return [one.name for one in kind.settings if one.required and one.name not in values]


def split_settings(kind: type[Connector], values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(those that are no secrets, the secret ones)."""
    secret = {one.name for one in kind.settings if one.secret}
    return (
        {name: value for name, value in values.items() if name not in secret},
        {name: value for name, value in values.items() if name in secret},
    )


def secrets_of(connector: Connector) -> list[str]:
    """The values of a channel's secret settings, for those who must not show them."""
    values = connector.binding.settings
    return [values[one.name] for one in connector.settings if one.secret and values.get(one.name)]


def lacking(kind: type[Connector], row: BoundChannel) -> list[str]:
    """Permissions that were not given; none where the platform does not tell which were."""
    if kind.oauth is None or row.scopes is None:
        return []
    return [scope for scope in kind.oauth.scopes if scope not in row.scopes]
