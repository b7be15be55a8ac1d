"""Check digits of tracking numbers, each rule as its carriers publish it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_TEN = 10


def mod10(serial: str, weights: Sequence[int]) -> str:
    """Weights from the right, as of GS1, USPS (Publication 199) and UPS, whose letters count (code - 3) mod 10."""
    total = sum(weight * _figure(letter) for letter, weight in zip(reversed(serial), cycle(weights), strict=False))
    return str(-total % _TEN)


def luhn(serial: str, _: Sequence[int]) -> str:
    """ISO/IEC 7812-1: every second digit from the right doubled, its digits added."""
    total = 0
    for place, letter in enumerate(reversed(serial)):
        total += sum(divmod(int(letter) * 2, _TEN)) if place % 2 == 0 else int(letter)
    return str(-total % _TEN)


def mod7(serial: str, _: Sequence[int]) -> str:
    """The rest of the number divided by seven: DHL Express, Japanese and Korean parcels."""
    return str(int(serial) % 7)


def s10(serial: str, _: Sequence[int]) -> str:
    """UPU S10: weighted, modulo 11; ten counts as 0, eleven as 5."""
    rest = 11 - sum(weight * int(letter) for weight, letter in zip(_S10_WEIGHTS, serial, strict=True)) % 11
    return str({10: 0, 11: 5}.get(rest, rest))


def weighted(serial: str, weights: Sequence[int]) -> str:
    """FedEx: weights from the left, modulo 11; ten counts as 0."""
    total = sum(weight * int(letter) for letter, weight in zip(serial, cycle(weights), strict=False))
    return str(total % 11 % _TEN)


def mod37(serial: str, _: Sequence[int]) -> str:
    """ISO 7064 MOD 37,36 over digits and letters: DPD."""
    size = len(_ALPHABET)
    rest = size
    for letter in serial:
        rest = (rest + _ALPHABET.index(letter)) % size or size
        rest = rest * 2 % (size + 1)
    return _ALPHABET[(size + 1 - rest) % size]


RULES: dict[str, Callable[[str, Sequence[int]], str]] = {
    "mod10": mod10,
    "luhn": luhn,
    "mod7": mod7,
    "s10": s10,
    "weighted": weighted,
    "mod37": mod37,
}
"""Serial number without check digit, and the format's weights, to the check digit it must have."""


def _figure(letter: str) -> int:
    return int(letter) if letter.isdigit() else (ord(letter) - 3) % _TEN


__all__ = ["RULES"]
