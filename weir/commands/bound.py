"""What commands about bound channels share: their arguments, the bindings, and who works here."""

from typing import Annotated

import typer

from connectors.registry import BY_PLATFORM
from services.channels.bindings import Bindings
from services.channels.secrets import Vault
from services.people.permissions import Caller
from storage.ports import Store
from weir.commands.stores import operator, wall_clock
from weir.config import Config
from weir.parts.vault import made_vault

Platform = Annotated[str, typer.Argument(help="One of `weir channel platforms`.", metavar="PLATFORM")]
Account = Annotated[str, typer.Argument(help="The account as the platform's events name it.", metavar="ACCOUNT")]


def bindings_of(store: Store, config: Config, vault: Vault | None = None) -> Bindings:
    """The bindings of an open store."""
    return Bindings(store, vault or made_vault(config), BY_PLATFORM, wall_clock)


def caller() -> Caller:
    """Whoever reaches the store by the command line may do everything."""
    return Caller(name=operator(), role="admin", via="cli")
