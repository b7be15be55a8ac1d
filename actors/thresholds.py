"""Every threshold: its name, default and limits; overrides per platform and per account.

A threshold is written `name=value`, `platform:name=value` or `platform/account:name=value`; the narrowest scope wins.
"""

from __future__ import annotations

from math import log
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from actors.errors import ConfigurationError
from actors.keys import channel_key

Value: TypeAlias = float | int | str | None


class Threshold(Struct, frozen=True, kw_only=True):
    """One tunable number or list; an optional one may be `off` (None)."""

    name: str
    default: Value
    unit: Literal["s", "probability", "messages", "languages"]
    low: float = 0
    high: float = 7 * 86_400
    optional: bool = False
    kind: str = ""


THRESHOLDS: tuple[Threshold, ...] = (
    Threshold(name="delay.threshold_s", default=30, unit="s", low=0.001, kind="delay"),
    Threshold(name="loss.grace_s", default=20, unit="s", kind="loss"),
    Threshold(name="loss.outbound_grace_s", default=60, unit="s", optional=True, kind="loss"),
    Threshold(name="duplicate.content_window_s", default=2, unit="s", optional=True, kind="duplicate"),
    Threshold(name="sync.grace_s", default=30, unit="s", kind="out_of_sync"),
    Threshold(name="attachment.grace_s", default=60, unit="s", optional=True, kind="attachment_failed"),
    Threshold(name="notification.grace_s", default=15, unit="s", optional=True, kind="notification_missed"),
    Threshold(name="translation.grace_s", default=20, unit="s", optional=True, kind="translation_failed"),
    Threshold(name="translation.team_languages", default="en,zh", unit="languages", kind="translation_failed"),
    Threshold(
        name="silence.probability",
        default=1e-6,
        unit="probability",
        low=1e-30,
        high=0.5,
        optional=True,
        kind="channel_silent",
    ),
    Threshold(name="silence.min_s", default=60, unit="s", low=1, kind="channel_silent"),
    Threshold(name="silence.min_messages", default=50, unit="messages", low=1, high=1e9, kind="channel_silent"),
)
BY_NAME: dict[str, Threshold] = {t.name: t for t in THRESHOLDS}


class ThresholdSet(Struct, frozen=True, kw_only=True):
    """Overrides by scope (`""`, `platform` or `platform/account`), then by name; `version` grows by one a change."""

    version: int = 0
    overrides: dict[str, dict[str, Value]] = field(default_factory=dict)

    def value(self, name: str, platform: str = "", account: str = "") -> Value:
        """The value in force for a channel; raises ConfigurationError for an unknown name."""
        known = known_threshold(name)
        for scope in (channel_key(platform, account), platform, ""):
            if name in self.overrides.get(scope, ()):
                return self.overrides[scope][name]
        return known.default

    def changed(self, scope: str, name: str, value: Value) -> ThresholdSet:
        """A new set with one value changed; `"default"` removes an override. Raises ConfigurationError."""
        checked = None if value == "default" else check_value(known_threshold(name), value)
        scopes = {s: dict(values) for s, values in self.overrides.items()}
        if value == "default":
            scopes.get(scope, {}).pop(name, None)
        else:
            scopes.setdefault(scope, {})[name] = checked
        return ThresholdSet(version=self.version + 1, overrides={s: v for s, v in scopes.items() if v})


class Limits:
    """The thresholds in force for one channel, as the detectors read them: times in ms, None where switched off."""

    __slots__ = (
        "attachment_ms",
        "content_window_ms",
        "delay_ms",
        "loss_ms",
        "notification_ms",
        "outbound_ms",
        "silence_exponent",
        "silence_messages",
        "silence_min_ms",
        "sync_ms",
        "team_languages",
        "translation_ms",
    )

    def __init__(self, settings: ThresholdSet, platform: str, account: str) -> None:
        def ms(name: str) -> int | None:
            value = settings.value(name, platform, account)
            return None if value is None else round(float(value) * 1000)

        def must(name: str) -> int:
            return ms(name) or 0

        self.delay_ms = must("delay.threshold_s")
        self.loss_ms = must("loss.grace_s")
        self.outbound_ms = ms("loss.outbound_grace_s")
        self.content_window_ms = ms("duplicate.content_window_s")
        self.sync_ms = must("sync.grace_s")
        self.attachment_ms = ms("attachment.grace_s")
        self.notification_ms = ms("notification.grace_s")
        self.translation_ms = ms("translation.grace_s")
        languages = settings.value("translation.team_languages", platform, account)
        self.team_languages = frozenset(s.strip().lower() for s in str(languages).split(",") if s.strip())
        probability = settings.value("silence.probability", platform, account)
        self.silence_exponent = None if probability is None else -log(float(probability))
        self.silence_min_ms = must("silence.min_s")
        self.silence_messages = int(float(settings.value("silence.min_messages", platform, account) or 0))


def known_threshold(name: str) -> Threshold:
    """The threshold of that name; raises ConfigurationError naming the ones there are."""
    if name not in BY_NAME:
        raise ConfigurationError(f"unknown threshold {name!r}; known ones: {', '.join(BY_NAME)}")
    return BY_NAME[name]


def check_value(threshold: Threshold, value: Any) -> Value:
    """The value in its own type; raises ConfigurationError that says what would be right."""
    if value is None or value == "off":
        if threshold.optional:
            return None
        raise ConfigurationError(f"{threshold.name} cannot be switched off")
    if threshold.unit == "languages":
        text = str(value)
        if all(part.strip().replace("-", "").isalnum() and part.isascii() for part in text.split(",")):
            return text
        raise ConfigurationError(
            f"{threshold.name} must be a comma-separated list of language codes like en,zh, not {value!r}"
        )
    try:
        number = float(value) if not isinstance(value, bool) else float("nan")
    except (TypeError, ValueError):
        number = float("nan")
    if not threshold.low <= number <= threshold.high:
        raise ConfigurationError(
            f"{threshold.name} must be a number from {threshold.low:g} to {threshold.high:g} ({threshold.unit}), "
            f"not {value!r}"
        )
    return int(number) if number == int(number) else number


def parse_assignment(text: str) -> tuple[str, str, str]:
    """(`scope`, `name`, `value`) of `[platform[/account]:]name=value`; raises ConfigurationError."""
    target, equals, value = text.partition("=")
    if not equals:
        raise ConfigurationError(
            f"{text!r} is no assignment; write name=value, platform:name=value or platform/account:name=value"
        )
    scope, colon, name = target.strip().rpartition(":")
    name = name.strip()
    known_threshold(name)
    if colon and not scope:
        raise ConfigurationError(f"{text!r} has an empty scope before the colon")
    return scope.strip(), name, value.strip()
