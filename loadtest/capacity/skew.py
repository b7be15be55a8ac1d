"""Shops of very different size, hashed to partitions as the product hashes them, and given to workers."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace
from math import ceil
from random import Random

from msgspec import Struct

from actors.keys import partition_of

PLATFORMS = ("amazon", "ebay", "shopee", "lazada", "tiktok", "temu", "aliexpress", "mercadolibre", "whatsapp", "line")


class Imbalance(Struct, frozen=True, kw_only=True):
    """The busiest worker's load over the mean one's: median, 95th and 99th percentile of many sets of shops."""

    p50: float
    p95: float
    p99: float


def zipf(shops: int, exponent: float) -> list[float]:
    """The share of each shop in all messages, largest first: the n-th has 1/n**exponent of the first one's."""
    weights = [n**-exponent for n in range(1, shops + 1)]
    total = sum(weights)
    return [weight / total for weight in weights]


def split(shares: Sequence[float], most: float) -> list[float]:
    """The shares when every shop larger than `most` is declared as several accounts of equal size."""
    return [share / parts for share in shares for parts in (ceil(share / most),) for _ in range(parts)]


def loads(shares: Sequence[float], partitions: int, seed: int) -> list[float]:
    """The share of each partition; the seed makes up the shops' names, which decide where they land.

    The names have nothing in common: the hash is linear, and of names that differ in a number alone each set would be
    the same set, moved.
    """
    found = [0.0] * partitions
    letters = Random(seed).getrandbits  # noqa: S311 # a simulation must be repeatable
    for number, share in enumerate(shares):
        found[partition_of(PLATFORMS[number % len(PLATFORMS)], f"{letters(64):016x}", partitions)] += share
    return found


def by_count(partitions: Sequence[float], workers: int, seed: int) -> list[float]:
    """Each worker's share when every worker gets as many partitions as the others, whichever they are."""
    order = list(range(len(partitions)))
    Random(seed).shuffle(order)  # noqa: S311 # a simulation must be repeatable
    found = [0.0] * workers
    for place, partition in enumerate(order):
        found[place % workers] += partitions[partition]
    return found


def by_load(partitions: Sequence[float], workers: int) -> list[float]:
    """Each worker's share when the busiest partition goes to the idlest worker, and so on."""
    found = [0.0] * workers
    heapify(found)
    for load in sorted(partitions, reverse=True):
        heapreplace(found, found[0] + load)
    return found


def imbalance(
    shares: Sequence[float], partitions: int, workers: int, *, trials: int, seed: int = 1, weighed: bool = False
) -> Imbalance:
    """How uneven it gets over so many sets of shops; `weighed`: partitions are given out by load, not by count."""
    ratios: list[float] = []
    for trial in range(trials):
        spread = loads(shares, partitions, seed * 1_000_003 + trial)
        given = by_load(spread, workers) if weighed else by_count(spread, workers, seed + trial)
        ratios.append(max(given) * workers / sum(given))
    ratios.sort()
    return Imbalance(p50=ranked(ratios, 50), p95=ranked(ratios, 95), p99=ranked(ratios, 99))


def ranked(ascending: Sequence[float], percent: int) -> float:
    """The value of nearest rank."""
    return ascending[max(0, -(-percent * len(ascending) // 100) - 1)]
