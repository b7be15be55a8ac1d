"""Keys, thresholds and policies: what people and platforms name, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import ConfigurationError
from actors.keys import channel_key, conversation_key, partition_of, split_key, url_key
from actors.presets import PRESETS, read_policies
from actors.thresholds import THRESHOLDS, Limits, ThresholdSet, known_threshold, parse_assignment

names = st.text(min_size=1, max_size=20)


@given(names, names, names)
def test_a_key_gives_its_parts_back_and_never_means_two_conversations(platform, account, conversation):
    key = conversation_key(platform, account, conversation)
    assert split_key(key) == (platform, account, conversation)
    assert key.count("/") == 2
    assert key.startswith(channel_key(platform, account) + "/")
    assert "/" not in url_key(key)


def test_a_channel_keeps_its_partition_for_ever():
    assert [partition_of("shopee", account, 12) for account in ("sg-1", "sg-2", "日本")] == [2, 0, 11]
    assert len({partition_of("shopee", f"sg-{n}", 12) for n in range(200)}) == 12
    assert partition_of("a", "bc", 1 << 30) != partition_of("ab", "c", 1 << 30)


def test_the_narrowest_scope_wins_and_default_takes_an_override_back():
    settings = ThresholdSet()
    for text in ("loss.grace_s=1", "shopee:loss.grace_s=2", "shopee/sg-1:loss.grace_s=3"):
        settings = settings.changed(*parse_assignment(text))
    assert settings.version == 3
    for place, grace in ((("shopee", "sg-1"), 3), (("shopee", "x"), 2), (("ebay", "sg-1"), 1)):
        assert settings.value("loss.grace_s", *place) == grace
        assert Limits(settings, *place).loss_ms == grace * 1000
    settings = settings.changed("shopee/sg-1", "loss.grace_s", "default")
    assert settings.value("loss.grace_s", "shopee", "sg-1") == 2


def test_an_account_with_a_slash_or_a_colon_can_be_addressed():
    settings = ThresholdSet().changed(*parse_assignment(f"{channel_key('shopee', 'a/b:c')}:loss.grace_s=3"))
    assert settings.value("loss.grace_s", "shopee", "a/b:c") == 3


def test_the_defaults_are_the_specifications():
    assert {t.name: t.default for t in THRESHOLDS} == {
        "delay.threshold_s": 30,
        "loss.grace_s": 20,
        "loss.outbound_grace_s": 60,
        "duplicate.content_window_s": 2,
        "sync.grace_s": 30,
        "attachment.grace_s": 60,
        "notification.grace_s": 15,
        "translation.grace_s": 20,
        "translation.team_languages": "en,zh",
        "silence.probability": 1e-6,
        "silence.min_s": 60,
        "silence.min_messages": 50,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss.grace_s", "off"),
        ("loss.grace_s", "nan"),
        ("loss.grace_s", "inf"),
        ("loss.grace_s", True),
        ("loss.grace_s", 8 * 86_400),
        ("loss.grace_s", []),
        ("silence.probability", 0),
        ("silence.probability", 0.6),
        ("translation.team_languages", "en;zh"),
        ("translation.team_languages", "英文"),
        ("no.such", 1),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(name, value):
    with pytest.raises(ConfigurationError, match=name if name != "no.such" else "known ones"):
        ThresholdSet().changed("", name, value)


def test_what_is_optional_can_be_switched_off():
    for threshold in THRESHOLDS:
        if threshold.optional:
            assert ThresholdSet().changed("", threshold.name, "off").value(threshold.name) is None
    assert known_threshold("delay.threshold_s").unit == "s"


GOOD = {"name": "x", "shifts": [{"days": ["mon"], "start": "09:00", "end": "17:00"}]}


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"first_response_min": 0},
        {"warning_ratio": 0},
        {"warning_ratio": 1.5},
        {"priorities": ["urgent"]},
        {"time_zone": "Mars/Olympus"},
        {"holidays": ["25.12.2026"]},
        {"shifts": [{"days": ["mo"], "start": "09:00", "end": "17:00"}]},
        {"shifts": [{"days": ["mon"], "start": "9", "end": "17:00"}]},
        {"shifts": [{"days": ["mon"], "start": "09:60", "end": "17:00"}]},
        {"shifts": [{"days": ["mon"], "start": "17:00", "end": "09:00"}]},
        {"shifts": [{"days": ["mon"], "start": "09:00", "end": "24:01"}]},
        {"surprise": 1},
    ],
)
def test_a_wrong_policy_is_refused(change):
    assert read_policies([GOOD])[0].name == "x"
    with pytest.raises(ConfigurationError):
        read_policies([GOOD | change])


def test_a_target_of_null_is_not_watched():
    assert read_policies([GOOD | {"resolution_min": None}])[0].resolution_ms is None


def test_every_platforms_promise_ships_as_a_preset():
    promised = {platform for policy in PRESETS for platform in policy.platforms}
    assert {"amazon", "ebay", "shopee", "lazada", "tiktok", "aliexpress", "mercadolibre"} <= promised
    assert all(policy.first_response_ms == policy.next_response_ms for policy in PRESETS)
