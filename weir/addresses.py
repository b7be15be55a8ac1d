"""Addresses of the services a cluster is made of: which forms fit, and how they are shown without their secrets."""

import re

EMBEDDED = "embedded"
SCHEMES = {
    "broker": ("kafka",),
    "database": ("mongodb", "mongodb+srv"),
    "redis": ("redis", "rediss"),
}
EXAMPLES = {
    "broker": "kafka://host:9092, several brokers by comma: kafka://a:9092,b:9092",
    "database": "mongodb://user:password@host:27017/weir, or mongodb+srv://…",
    "redis": "redis://host:6379/0, or rediss:// for TLS",
}
HIGHEST_PORT = 65535
_CREDENTIALS = re.compile(r"(?<=//).*(?=@)", re.DOTALL)
_PARTS = re.compile(r"([^/?]*)/?([^?]*).*", re.DOTALL)
_DATABASE = re.compile(r'[^/\\. "$*<>:|?\s]{0,60}')
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@,?#\[\]]+)(?::(?P<port>\d{1,5}))?")


def shown(address: str) -> str:
    """The address as it may be shown and logged: without user and password."""
    return _CREDENTIALS.sub("…", address)


def trouble_with(setting: str, address: str) -> str | None:
    """What is wrong with an address of this setting; None when it fits."""
    if address == EMBEDDED:
        return None
    scheme, found, rest = address.partition("://")
    if not found or scheme not in SCHEMES[setting]:
        return f"it must be {EMBEDDED} or {EXAMPLES[setting]}"
    if setting == "broker" and "@" in rest:
        return "give user and password by kafka_user and kafka_password instead"
    if re.search(r"[/?#@]", rest.rpartition("@")[0]):
        return "special characters in user and password must be percent-encoded: / is %2F, @ is %40"
    # Whatever stands before the last @ is a user and a password, however badly quoted: it must not be shown.
    places, path = _PARTS.fullmatch(rest.rpartition("@")[2]).groups()  # pyright: ignore[reportOptionalMemberAccess] # fits any text
    hosts = places.split(",")
    for host in hosts:
        fits = _HOST.fullmatch(host)
        if fits is None or int(fits["port"] or 1) not in range(1, HIGHEST_PORT + 1):
            return f"{host[:100]!r} is no host and port; an example: {EXAMPLES[setting]}"
    return _trouble_with_path(setting, path.strip("/"), len(hosts))


def _trouble_with_path(setting: str, path: str, hosts: int) -> str | None:
    match setting:
        case "broker":
            return f"nothing may follow the ports; an example: {EXAMPLES[setting]}" if path else None
        case "redis" if hosts > 1:
            return "it names several hosts; name one, with a proxy or fail-over in front if need be"
        case "redis" if path and not path.isdigit():
            return "after the port may follow the number of a database, nothing else"
        case "database" if not _DATABASE.fullmatch(path):
            return f"{path[:60]!r} is no name for a database"
        case _:
            return None


__all__ = ["EMBEDDED", "shown", "trouble_with"]
