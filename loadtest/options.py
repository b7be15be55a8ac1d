"""What a simulated sale can be told: its size, its shape and the troubles mixed in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct, field

from actors.errors import ConfigurationError
from loadtest.shapes import HOUR_MS, Profile

START = int(datetime(2026, 11, 11, tzinfo=UTC).timestamp() * 1000)

TROUBLES: tuple[str, ...] = (
    "delay_single",
    "loss_gap",
    "loss_reference",
    "loss_checkpoint",
    "loss_outbound",
    "duplicate_exact",
    "duplicate_content",
    "out_of_sync",
    "attachment_failed",
    "notification_missed",
    "translation_failed",
)
"""Troubles of one message; a rate is their share of all messages."""

INCIDENTS: tuple[str, ...] = ("delay_channel", "silence", "auth")
"""Troubles of a whole channel; one counts as much as `INCIDENT_WEIGHT` messages."""

INCIDENT_WEIGHT = 100

MIXES: dict[str, dict[str, float]] = {
    "delay": {"delay_single": 0.7, "delay_channel": 0.3},
    "loss": {"loss_gap": 0.4, "loss_reference": 0.15, "loss_checkpoint": 0.15, "loss_outbound": 0.3},
    "duplicate": {"duplicate_exact": 0.7, "duplicate_content": 0.3},
    "channel_silent": {"silence": 0.5, "auth": 0.5},
}
"""The kinds of anomaly that more than one trouble causes, and each one's part."""

DEFAULT_FAULTS: dict[str, float] = {
    "delay": 0.005,
    "loss": 0.006,
    "duplicate": 0.006,
    "out_of_sync": 0.001,
    "attachment_failed": 0.002,
    "notification_missed": 0.003,
    "translation_failed": 0.002,
    "channel_silent": 0.02,
}
RATE_MOST = 0.25


class SimulationOptions(Struct, frozen=True, kw_only=True):
    """One simulated sale.

    Attributes:
        messages: how many messages the platforms send, the ones that get lost included.
        conversations: how many conversations they belong to; None: one for every eight messages.
        profile: the curve of arrivals.
        faults: the rate of each trouble, as `parse_faults` gives it.
        seed: the same seed gives the same trace.
        start: when it begins, ms since the epoch.
        hours: how long it lasts; None: a day for `diurnal`, else half an hour to six, as the messages need.
        channels: how many shops take part; None: four to twelve, as the messages need.
        curve: relative intensities of equal slots instead of the profile's.
        pace: how long people take to write, 1 being as in life; None: as the length of the sale allows.
        leeway_ms: nobody acts so shortly after a grace that an event observed this much later would change the story.
        mark: a word put behind every account's name, so that two sales are told apart.
    """

    messages: int = 10_000
    conversations: int | None = None
    profile: Profile = "flash-sale"
    faults: dict[str, float] = field(default_factory=lambda: expand(DEFAULT_FAULTS))
    seed: int = 1
    start: int = START
    hours: float | None = None
    channels: int | None = None
    curve: tuple[float, ...] | None = None
    pace: float | None = None
    leeway_ms: int = 2_000
    mark: str = ""

    def __post_init__(self) -> None:
        if self.messages < 1 or (self.conversations is not None and self.conversations < 1):
            raise ConfigurationError("a simulation needs at least one message and one conversation")
        if self.profile not in {"steady", "diurnal", "flash-sale"}:
            raise ConfigurationError(f"unknown profile {self.profile!r}; known ones: steady, diurnal, flash-sale")
        if self.hours is not None and self.hours <= 0:
            raise ConfigurationError(f"hours must be more than 0, not {self.hours!r}")
        if self.curve is not None and not (self.curve and all(share > 0 for share in self.curve)):
            raise ConfigurationError("a curve needs at least one slot, and every slot more than 0")
        if self.pace is not None and self.pace <= 0:
            raise ConfigurationError(f"pace must be more than 0, not {self.pace!r}")

    @property
    def conversation_count(self) -> int:
        """How many conversations are planned."""
        return min(self.messages, self.conversations or max(1, self.messages // 8))

    @property
    def length_ms(self) -> int:
        """How long conversations start."""
        if self.hours is not None:
            return int(self.hours * HOUR_MS)
        if self.profile == "diurnal":
            return 24 * HOUR_MS
        return min(6 * HOUR_MS, max(HOUR_MS // 2, self.messages * 500))


def parse_faults(text: str) -> dict[str, float]:
    """`kind=rate,…` as rates of single troubles; `none` and the empty text are none; raises ConfigurationError."""
    text = text.strip()
    if text in {"", "none"}:
        return {}
    return expand(dict(map(_assignment, filter(None, map(str.strip, text.split(","))))))


def expand(rates: dict[str, float]) -> dict[str, float]:
    """Rates of kinds turned into rates of the troubles that cause them; raises ConfigurationError."""
    expanded: dict[str, float] = {}
    for name, rate in rates.items():
        if name not in known_faults():
            raise ConfigurationError(f"unknown fault {name!r}; known ones: {', '.join(known_faults())}")
        if not 0 <= rate <= RATE_MOST:
            raise ConfigurationError(f"the rate of {name} must be from 0 to {RATE_MOST}, not {rate!r}")
        for trouble, part in MIXES.get(name, {name: 1.0}).items():
            expanded[trouble] = expanded.get(trouble, 0.0) + rate * part
    return expanded


def known_faults() -> tuple[str, ...]:
    """Every name that may stand before the `=`: kinds of anomaly first, then single troubles."""
    return _unique((*DEFAULT_FAULTS, *TROUBLES, *INCIDENTS))


def _assignment(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name.strip(), float(rate)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no fault; write kind=rate, for example loss=0.01") from None


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
