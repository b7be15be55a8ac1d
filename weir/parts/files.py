"""The files the settings name: a folder beside the built-in database, or the MongoDB that is used anyway."""

from __future__ import annotations

from storage.channel_ports import FileStore
from storage.files import FolderFiles
from storage.ports import Store
from weir.config import EMBEDDED, Config

FILES_FOLDER = "files"


def made_files(config: Config, store: Store) -> FileStore:
    """Where files are kept; open as long as `store`, which `weir.parts.store.made_store` made of the same settings."""
    if config.database != EMBEDDED:
        from storage.mongodb import MongoStore  # noqa: PLC0415 # see the package's docstring

        if isinstance(store, MongoStore):
            return store.files
    return FolderFiles(config.data / FILES_FOLDER)
