"""Where the database is: the URL taken apart, and the same without its secrets for messages."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from actors.errors import ConfigurationError

SCHEMES = ("mongodb", "mongodb+srv")
DATABASE = "weir"
_NAME = re.compile(r"[^/\\. \"$*<>:|?\x00]{1,63}")


class Address(Struct, frozen=True):
    """`place` is what messages may show; `options` are those given in the URL, by name in small letters."""

    url: str
    database: str
    place: str
    hosts: tuple[str, ...]
    options: dict[str, str]


def read_address(url: str) -> Address:
    """Take a `mongodb://` URL apart; raises ConfigurationError, which never shows what may be a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("the database's URL cannot be read; write mongodb://HOST:PORT/NAME") from None
    hosts = parts.netloc.rpartition("@")[2]
    if parts.scheme not in SCHEMES or not hosts:
        raise ConfigurationError("the database's URL must be mongodb://HOST:PORT/NAME or mongodb+srv://HOST/NAME")
    database = unquote(parts.path.lstrip("/")) or DATABASE
    if not _NAME.fullmatch(database):
        raise ConfigurationError(f"{database!r} is no name of a MongoDB database; use letters, digits, - and _")
    return Address(
        url=url,
        database=database,
        place=f"{parts.scheme}://{hosts}/{database}",
        hosts=tuple(host.rpartition(":")[0].strip("[]") or host for host in hosts.split(",")),
        options={name.lower(): value for name, value in parse_qsl(parts.query)},
    )
