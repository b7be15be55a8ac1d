"""PyMongo's errors as those of the port, with what to do. Nothing here shows a user name or a password."""

from __future__ import annotations

from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    InvalidName,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.errors import ConfigurationError as MongoConfigurationError

from actors.errors import ConfigurationError, RejectedError
from storage.errors import StoreBusyError, StoreDamagedError, StoreFullError

NOT_ALLOWED = {13, 18, 8000}
"""Unauthorized, AuthenticationFailed, and a hosted service's word for both."""
NO_SPACE = {14031}
BUSY = {
    6, 7, 24, 43, 46, 50, 64, 79, 89, 91, 100, 112, 125, 133, 189, 202, 225, 237, 246, 262, 314, 358, 384, 391,
    9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 50915,
}  # fmt: skip
"""Out of reach, not primary now, interrupted, timed out, locked, throttled: the same call may work later."""
REFUSED = {2, 9, 14, 22, 10334, 17419, 17420}
"""A value it does not take: wrong, too large, no BSON."""
UNKNOWN = {59, 115, 238, 40324}
"""A command, stage or option that this server does not have."""
DUPLICATE = 11_000

_FULL_WORDS = ("no space left", "out of disk space", "disk is full", "enospc")
_DAMAGED_WORDS = ("corrupt", "disk image is malformed", "wt_panic", "checksum error")


def explained(error: BaseException, place: str) -> Exception | None:  # noqa: PLR0911 # one for each kind of trouble
    """The same trouble as an error of the port; None for one that is not the database's."""
    match error:
        case OverflowError() | UnicodeEncodeError() | BSONError() | DocumentTooLarge():
            return RejectedError(f"a value cannot be stored or looked up ({error}); correct the input")
        case MongoConfigurationError() | InvalidURI() | InvalidName():
            return ConfigurationError(
                f"the database {place} cannot be used as it is set up ({type(error).__name__});"
                " look at the options in its URL and at the server's version"
            )
        case ExecutionTimeout():
            return _slow(place)
        case WriteConcernError():
            return StoreBusyError(f"{place} did not confirm a write in time; it is tried again, look at its replicas")
        case OperationFailure():
            told = error.details or {}
            return failed(error.code or 0, f"{told.get('codeName', '')} {told.get('errmsg', '')}", place)
        case AutoReconnect() | ConnectionFailure():
            return _away(error, place)
        case InvalidOperation():
            return ConfigurationError(f"the store {place} is closed; call open() first")
        case PyMongoError():
            return _slow(place) if error.timeout else _away(error, place)
        case _:
            return None


def failed(code: int, words: str, place: str) -> Exception:  # noqa: PLR0911 # one for each kind of trouble
    """What the server said of a command or of one write in it."""
    small = words.lower()
    if code in NO_SPACE or any(word in small for word in _FULL_WORDS):
        return StoreFullError(f"the disk of {place} is full; nothing is lost: free space and it goes on by itself")
    if code in NOT_ALLOWED:
        return ConfigurationError(
            f"{place} refuses the user name or password, or its rights: mend them in the database's URL,"
            " or grant that user the role readWrite on this database"
        )
    if any(word in small for word in _DAMAGED_WORDS):
        return StoreDamagedError(
            f"{place} says that its data are damaged (code {code}): stop Weir and repair or restore that server"
        )
    if code in BUSY:
        return StoreBusyError(f"{place} cannot do it just now (code {code}); it is tried again")
    if code in REFUSED:
        return RejectedError(f"{place} does not take this value (code {code}: {words[:200]})")
    if code in UNKNOWN:
        return ConfigurationError(f"{place} lacks what Weir needs ({words[:200]}); use MongoDB 6 or newer")
    return StoreBusyError(f"{place} answered with an error (code {code}: {words[:200]}); it is tried again")


def _slow(place: str) -> StoreBusyError:
    return StoreBusyError(f"{place} did not answer in time; it is tried again, look at its load if it goes on")


def _away(error: BaseException, place: str) -> StoreBusyError:
    return StoreBusyError(
        f"{place} is out of reach ({type(error).__name__}); it is tried again, look whether it runs if it goes on"
    )


def write_trouble(reply: dict[str, Any], place: str) -> Exception | None:
    """What went wrong with a write command that was carried out otherwise; duplicate keys are none."""
    for wrong in reply.get("writeErrors", ()):
        if wrong.get("code") != DUPLICATE:
            return failed(wrong.get("code", 0), str(wrong.get("errmsg", "")), place)
    unsure = reply.get("writeConcernError")
    if unsure:
        return failed(unsure.get("code", 64), str(unsure.get("errmsg", "")), place)
    return None
