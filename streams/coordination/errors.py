"""What can go wrong between processes."""

from actors.errors import RetriableError


class CoordinationLostError(RetriableError):
    """What the processes share is out of reach: nobody can say who is present or whose turn it is. Try again later."""


__all__ = ["CoordinationLostError"]
