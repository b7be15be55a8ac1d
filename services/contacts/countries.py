"""Countries: how they are called by telephone, and what time it is there. ITU-T E.164, and the IANA zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct, json

SHORTEST, LONGEST = 8, 15
"""Digits of a number with its country's code."""
_LANGUAGES = {"th": "TH", "ja": "JP", "ko": "KR", "vi": "VN", "id": "ID", "ms": "MY", "pl": "PL", "tr": "TR"}
"""Languages that are at home in one country of customers."""


class Country(Struct, frozen=True):
    """`calling`: its code; `trunk`: what is dialled inside it and left out from abroad; `zones`: `several`, or one."""

    calling: str
    zone: str
    trunk: str = ""
    zones: str = "one"


COUNTRIES = json.decode(Path(__file__).with_name("countries.json").read_bytes(), type=dict[str, Country])
_by_calling = sorted(
    ((one.calling, code) for code, one in COUNTRIES.items()), key=lambda pair: (-len(pair[0]), pair[1])
)


def phone_of(text: str, country: str | None = None) -> str | None:
    """A telephone number as E.164 (`+6681…`); None for what is none, or one of an unknown country."""
    if re.search(r"[^\d\s()./+–-]", text.strip()):  # noqa: RUF001 # people write long dashes too
        return None
    bare = re.sub(r"\D", "", text)
    if text.strip().startswith(("+", "(+")):
        digits = bare
    elif bare.startswith("00"):
        digits = bare[2:]
    else:
        home = COUNTRIES.get((country or "").upper())
        if home is None:
            return None
        national = bare.removeprefix(home.trunk) if home.trunk else bare
        digits = (
            bare if bare.startswith(home.calling) and len(bare) > len(home.calling) + 8 else home.calling + national
        )
    return f"+{digits}" if SHORTEST <= len(digits) <= LONGEST and not digits.startswith("0") else None


def country_of_phone(phone: str) -> str | None:
    """Whose number an E.164 number is; None where several countries share the code."""
    digits = phone.removeprefix("+")
    calling = next((calling for calling, _ in _by_calling if digits.startswith(calling)), None)
    codes = [code for code, one in COUNTRIES.items() if one.calling == calling]
    return codes[0] if len(codes) == 1 else None


def country_of_language(lang: str | None) -> str | None:
    """The country of a language that is at home in one."""
    return _LANGUAGES.get((lang or "").partition("-")[0].lower())


def is_zone(name: str) -> bool:
    """Whether a time zone of that name is known."""
    return name in _zones()


def offset_minutes(zone: str, at: int) -> int:
    """How far a zone's clocks are ahead of UTC at an instant (ms)."""
    offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return round(offset.total_seconds() / 60) if offset is not None else 0


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


__all__ = ["COUNTRIES", "Country", "country_of_language", "country_of_phone", "is_zone", "offset_minutes", "phone_of"]
