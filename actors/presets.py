"""SLA policies as data: every platform's own promised response time, and policies read from a document.

The platforms' promises change; they are starting points to edit. First match wins, the default policy stands last.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from actors.calendar import DAY_MINUTES, Calendar, Shift, check_calendar
from actors.errors import ConfigurationError
from actors.sla import Policy

MINUTE, HOUR = 60_000, 3_600_000
MINUTES_PER_HOUR = 60


def _promise(platform: str, response_ms: int, note: str) -> Policy:
    return Policy(
        name=f"{platform}: {note}",
        platforms=(platform,),
        first_response_ms=response_ms,
        next_response_ms=response_ms,
        resolution_ms=max(24 * HOUR, 2 * response_ms),
    )


PRESETS: tuple[Policy, ...] = (
    _promise("amazon", 24 * HOUR, "24 h from the first unanswered message, weekends and holidays included"),
    _promise("walmart", 48 * HOUR, "48 h, weekends and holidays included"),
    _promise("aliexpress", 48 * HOUR, "48 h"),
    _promise("shopee", 12 * HOUR, "12 h for the chat response rate; automatic replies do not count"),
    _promise("lazada", 30 * MINUTE, "30 min wished; same-day chat response rate"),
    _promise("tiktok", 12 * HOUR, "12 h response rate"),
    _promise("ebay", 24 * HOUR, "24 h, good practice"),
    _promise("mercadolibre", 24 * HOUR, "24 h, good practice"),
    _promise("whatsapp", 24 * HOUR, "24 h window for a free reply"),
    _promise("messenger", 24 * HOUR, "24 h window for a free reply"),
    _promise("instagram", 24 * HOUR, "24 h window for a free reply"),
    _promise("temu", 24 * HOUR, "24 h, good practice"),
    _promise("wish", 24 * HOUR, "24 h, good practice"),
    _promise("shopify", 24 * HOUR, "24 h, good practice"),
    _promise("email", 24 * HOUR, "24 h, good practice"),
    _promise("telegram", 24 * HOUR, "24 h, good practice"),
    _promise("line", 24 * HOUR, "24 h, good practice"),
    _promise("webchat", 5 * MINUTE, "visitors wait"),
)
"""Per platform; see `actors.sla.Policy` for the meaning of the fields."""


class ShiftDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Working time on some weekdays: `days` like ["mon", "tue"], `start` and `end` like "09:00" and "24:00"."""

    days: list[str]
    start: str
    end: str


class PolicyDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One policy as an administrator writes it; targets in minutes, null: not watched."""

    name: str
    first_response_min: float | None = 30
    next_response_min: float | None = 60
    resolution_min: float | None = 24 * 60
    warning_ratio: float = 0.8
    bot_answers: bool = False
    platforms: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    priorities: list[str] = field(default_factory=list)
    time_zone: str = "UTC"
    shifts: list[ShiftDocument] = field(default_factory=list)
    holidays: list[str] = field(default_factory=list)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PRIORITIES = ("normal", "high")


def read_policies(document: Any) -> tuple[Policy, ...]:
    """Policies of a decoded JSON or TOML document: a list, or an object with `policies`. Raises ConfigurationError."""
    if isinstance(document, dict):
        document = document.get("policies", document)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] # JSON
    try:
        parsed = msgspec.convert(document, list[PolicyDocument])
    except msgspec.ValidationError as wrong:
        raise ConfigurationError(f"the SLA policies are not well-formed: {wrong}") from wrong
    return tuple(_policy(item) for item in parsed)


def _policy(document: PolicyDocument) -> Policy:
    if not 0 < document.warning_ratio <= 1:
        raise ConfigurationError(f"policy {document.name!r}: warning_ratio must be above 0 and at most 1")
    if unknown := set(document.priorities) - set(PRIORITIES):
        raise ConfigurationError(f"policy {document.name!r}: unknown priorities {sorted(unknown)}; use {PRIORITIES}")
    shifts = tuple(shift for item in document.shifts for shift in _shifts(document.name, item))
    calendar = Calendar(zone=document.time_zone, shifts=shifts, holidays=tuple(document.holidays))
    return Policy(
        name=document.name,
        first_response_ms=_target(document, document.first_response_min),
        next_response_ms=_target(document, document.next_response_min),
        resolution_ms=_target(document, document.resolution_min),
        warning_ratio=document.warning_ratio,
        calendar=check_calendar(calendar),
        bot_answers=document.bot_answers,
        platforms=tuple(document.platforms),
        accounts=tuple(document.accounts),
        priorities=tuple(document.priorities),
    )


def _target(document: PolicyDocument, minutes: float | None) -> int | None:
    if minutes is None:
        return None
    if minutes <= 0:
        raise ConfigurationError(
            f"policy {document.name!r}: a target must be above 0 minutes, or null to switch it off"
        )
    return round(minutes * MINUTE)


def _shifts(name: str, item: ShiftDocument) -> list[Shift]:
    if unknown := set(item.days) - set(DAYS):
        raise ConfigurationError(f"policy {name!r}: unknown days {sorted(unknown)}; use {DAYS}")
    start, end = _minute(name, item.start), _minute(name, item.end)
    return [Shift(DAYS.index(day), start, end) for day in item.days]


def _minute(name: str, text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == len("MM"):
        minute = int(hours) * 60 + int(minutes)
        if minute <= DAY_MINUTES and int(minutes) < MINUTES_PER_HOUR:
            return minute
    raise ConfigurationError(f"policy {name!r}: {text!r} is no time of day; write it like 09:30, at most 24:00")
