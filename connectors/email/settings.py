"""What binding a mailbox takes: its servers, how to sign in, and which folders are read."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from actors.errors import RejectedError
from connectors.contract.calling import RefusedError
from connectors.contract.connector import Setting

Security: TypeAlias = Literal["tls", "starttls", "none"]
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SECURITIES = ("tls", "starttls", "none")
_YES = frozenset({"yes", "true", "1", "on"})
_MIB = 2**20


def _open(name: str, about: str, *, required: bool = False) -> Setting:
    return Setting(name=name, about=about, secret=False, required=required)


SETTINGS = (
    _open("address", "the mailbox's e-mail address, which customers write to and answers come from", required=True),
    Setting(name="password", about="the mailbox's password or app password; with sign_in xoauth2 its access token"),
    _open("imap_host", "the server that mail is read from, such as imap.example.com", required=True),
    _open("smtp_host", "the server that mail is sent by, such as smtp.example.com", required=True),
    _open("user", "the name to sign in with, when it is not the address"),
    _open("sign_in", "password or xoauth2; password when it is left out"),
    _open("imap_port", "993, or 143 with starttls, when it is left out"),
    _open("imap_security", "tls, starttls, or none for a server on this machine; tls when it is left out"),
    _open("smtp_port", "465, or 587 with starttls, when it is left out"),
    _open("smtp_security", "tls, starttls, or none for a server on this machine; tls when it is left out"),
    _open("certificate", "the certificate, in PEM, of a server that no public authority vouches for"),
    _open("sender_name", "the name that customers see beside the address"),
    _open("aliases", "other addresses of this mailbox, with commas between them"),
    _open("inbox_folder", "the folder that is read; INBOX when it is left out"),
    _open("sent_folder", "the folder of sent mail; found by the server's mark when it is left out"),
    _open("junk_folder", "the folder of junk mail, or auto; junk mail is not read when it is left out"),
    _open("keeps_sent", "yes when the server keeps what is sent by itself, as Gmail and Microsoft 365 do"),
    _open(
        "close_answered",
        "yes to close a conversation here, with its clocks, once the same mail was answered from another mailbox",
    ),
    _open("plus_address", "yes when the server takes address+anything for the address; answers are found by it then"),
    _open("history_days", "how many days back mail is fetched when the mailbox is bound; 7 when it is left out"),
    _open("most_megabytes", "the largest mail the server sends; 25 when it is left out"),
    Setting(name="refresh_token", about="with xoauth2: what new access tokens are given for", required=False),
    _open("client_id", "with xoauth2: the id of the app that the mailbox was authorised for"),
    Setting(name="client_secret", about="with xoauth2: that app's secret, if it has one", required=False),
    _open("token_url", "with xoauth2: where access tokens are given, such as https://oauth2.googleapis.com/token"),
)


class Server(Struct, frozen=True, kw_only=True):
    """One server of the mailbox."""

    host: str
    port: int
    security: Security


class MailSettings(Struct, frozen=True, kw_only=True):
    """The settings of one mailbox, read and checked. `password` is the access token where `xoauth2` is set."""

    address: str
    user: str
    password: str
    xoauth2: bool
    imap: Server
    smtp: Server
    certificate: str
    sender_name: str
    own: frozenset[str]
    inbox: str
    sent: str
    junk: str
    keeps_sent: bool
    plus_address: bool
    history_days: int
    most_bytes: int

    def __repr__(self) -> str:
        """Without the password."""
        return f"MailSettings(address={self.address!r})"

    def tls(self) -> ssl.SSLContext:
        """How the servers are known to be genuine."""
        try:
            return ssl.create_default_context(cadata=self.certificate or None)
        except ssl.SSLError as wrong:
            reason = "the channel's setting `certificate` is no certificate in PEM; copy it whole, with its first line"
            raise RefusedError(reason, "setting_wrong") from wrong


def read_settings(values: Mapping[str, str]) -> MailSettings:
    """The settings of a binding. Raises RejectedError naming the one that is wrong."""
    address = values.get("address", "").strip().lower()
    aliases = {one.strip().lower() for one in values.get("aliases", "").split(",")}
    sign_in = values.get("sign_in", "").strip().lower() or "password"
    if sign_in not in {"password", "xoauth2"}:
        raise RejectedError("settings: sign_in is password or xoauth2")
    if values.get("close_answered", "") not in {"", "yes", "no"}:
        raise RejectedError("settings: close_answered is yes or no")
    return MailSettings(
        address=address,
        user=values.get("user", "").strip() or address,
        password=values.get("password", ""),
        xoauth2=sign_in == "xoauth2",
        imap=_server(values, "imap", {"tls": 993, "starttls": 143, "none": 143}),
        smtp=_server(values, "smtp", {"tls": 465, "starttls": 587, "none": 25}),
        certificate=values.get("certificate", "").strip(),
        sender_name=values.get("sender_name", "").strip(),
        own=frozenset({address, *aliases} - {""}),
        inbox=values.get("inbox_folder", "").strip() or "INBOX",
        sent=values.get("sent_folder", "").strip(),
        junk=values.get("junk_folder", "").strip(),
        keeps_sent=_yes(values, "keeps_sent"),
        plus_address=_yes(values, "plus_address"),
        history_days=_number(values, "history_days", 7, 3_650),
        most_bytes=_number(values, "most_megabytes", 25, 150) * _MIB,
    )


def _server(values: Mapping[str, str], kind: str, ports: Mapping[str, int]) -> Server:
    host = values.get(f"{kind}_host", "").strip()
    security = values.get(f"{kind}_security", "").strip().lower() or "tls"
    if security not in _SECURITIES:
        raise RejectedError(f"settings: {kind}_security is tls, starttls or none")
    if security == "none" and host.lower() not in _LOOPBACK:
        raise RejectedError(f"settings: {kind}_security none would send the password readably; use tls or starttls")
    port = _number(values, f"{kind}_port", ports[security], 65_535)
    return Server(host=host, port=port, security=security)


def _number(values: Mapping[str, str], name: str, otherwise: int, most: int) -> int:
    found = values.get(name, "").strip()
    if not found:
        return otherwise
    if not (found.isascii() and found.isdigit() and len(found) < 9 and 0 <= int(found) <= most):  # noqa: PLR2004
        raise RejectedError(f"settings: {name} is a whole number up to {most}")
    return int(found)


def _yes(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "").strip().lower() in _YES


__all__ = ["SETTINGS", "MailSettings", "Security", "Server", "read_settings"]
