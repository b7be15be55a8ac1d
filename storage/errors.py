"""Errors of the storage port, by what to do next (see `actors.errors` for the tree)."""

from actors.errors import ConfigurationError, PermanentError, RetriableError


class FencedError(PermanentError):
    """Another writer owns this partition now: stop writing, drop its states."""


class StoreBusyError(RetriableError):
    """The database is locked or out of reach for the moment."""


class StoreFullError(RetriableError):
    """The disk is full: nothing was written; free space and it goes on by itself."""


class ArchiveError(RetriableError):
    """The archive did not take what is about to be forgotten: nothing was deleted; mend it and it goes on by itself."""


class StoreDamagedError(ConfigurationError):
    """The database file is damaged; the message says which file and how to restore it."""


class FileMissingError(PermanentError):
    """No file of that digest is held."""
