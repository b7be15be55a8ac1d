"""Errors are classes named by what to do next.

WeirError
├── RetriableError       try again later, in place, order kept
├── PermanentError       will never work: dead-letter it with its reason
│   └── RejectedError    input that breaks the specification: tell the sender what, where and what to do
└── ConfigurationError   stop and say which setting to mend
"""


class WeirError(Exception):
    """Any trouble of Weir's own."""


class RetriableError(WeirError):
    """The same call may work later: retry in place, keep the order."""


class PermanentError(WeirError):
    """The same call will never work: dead-letter the input with this reason."""


class RejectedError(PermanentError):
    """Input that breaks the specification; the message is shown to its sender."""


class ConfigurationError(WeirError):
    """A setting is wrong; the message names it and says how to mend it."""
