"""The names by which platforms know one person."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from storage.channel_records import Identity
from storage.sqlite.bulk import read_rows, write_rows
from storage.sqlite.connection import Database

_LINK = """INSERT INTO identities (platform, account, alias, canonical, since) VALUES {rows} ON CONFLICT DO NOTHING"""


class SqliteIdentities:
    """`storage.channel_ports.IdentityStore`."""

    _db: Database

    async def link_identities(self, links: Sequence[Identity]) -> None:
        """Keep links; a name that is linked already stays linked as it is."""
        await self._db.write(_link, links)

    async def canonical(self, platform: str, account: str, names: Sequence[str]) -> dict[str, str]:
        """For those of these names that are linked: name → the name under which everything is kept."""
        return await self._db.read(_canonical, platform, account, names)

    async def aliases(self, platform: str, account: str, name: str) -> list[Identity]:
        """Every name of the person with this one, the canonical one too; by `since`, then alias; none when unknown."""
        return await self._db.read(_aliases, platform, account, name)

    async def forget_identities(self, platform: str, account: str, name: str) -> int:
        """Forget every name of the person with this one; how many there were."""
        return await self._db.write(_forget, platform, account, name)


_OF_ONE = """platform = ?1 AND account = ?2
    AND canonical = (SELECT canonical FROM identities WHERE platform = ?1 AND account = ?2 AND alias = ?3)"""


def _link(connection: Connection, links: Sequence[Identity]) -> None:
    write_rows(connection, _LINK, [(one.platform, one.account, one.alias, one.canonical, one.since) for one in links])


def _canonical(connection: Connection, platform: str, account: str, names: Sequence[str]) -> dict[str, str]:
    sql = "SELECT canonical FROM identities WHERE platform = ? AND account = ? AND alias = ?"
    found = ((name, connection.execute(sql, (platform, account, name)).fetchone()) for name in names)
    return {name: row[0] for name, row in found if row is not None}


def _aliases(connection: Connection, platform: str, account: str, name: str) -> list[Identity]:
    source = f"FROM identities WHERE {_OF_ONE} ORDER BY since, alias"
    rows = read_rows(connection, "alias, canonical, since", source, (platform, account, name))
    return [
        Identity(platform=platform, account=account, alias=alias, canonical=canonical, since=since)
        for alias, canonical, since in rows
    ]


def _forget(connection: Connection, platform: str, account: str, name: str) -> int:
    sql = f"DELETE FROM identities WHERE {_OF_ONE}"  # noqa: S608 - a constant of this module; values are bound
    return connection.execute(sql, (platform, account, name)).rowcount
