"""Errors of the services, by what the caller should do next.

PermanentError
├── NotFoundError          there is no such thing: look it up again
├── ConflictError          somebody was faster, or the state forbids it: read again, then decide
├── CredentialsError       log in again with other words
└── ForbiddenError         ask somebody with the right role
RetriableError
└── TooManyAttemptsError   wait, then try again
"""

from actors.errors import PermanentError, RetriableError


class NotFoundError(PermanentError):
    """What was named does not exist."""


class ConflictError(PermanentError):
    """The state of the thing forbids the change."""


class CredentialsError(PermanentError):
    """Name or password is wrong, or the user is disabled; never says which."""


class ForbiddenError(PermanentError):
    """The caller's role does not allow this."""


class TooManyAttemptsError(RetriableError):
    """Too many failures lately; come back after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many failed attempts; try again in {retry_after} s")
        self.retry_after = retry_after
