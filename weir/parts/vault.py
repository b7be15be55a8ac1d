"""The vault of channels' secrets, with the keys that the settings name."""

from __future__ import annotations

from services.channels.secrets import Vault
from weir.config import Config

KEY_FILE = "secrets.key"


def made_vault(config: Config) -> Vault:
    """The vault; a key file is made only where a process keeps files. Raises ConfigurationError.

    Processes that share everything but a disk must be given one key: a file made by one would be no use to the others.
    """
    return Vault(
        present=config.secret_key,
        older=config.secret_key_old,
        file=config.data / KEY_FILE,
        make=config.keeps_files,
    )
