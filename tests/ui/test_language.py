"""Which language and theme a visitor gets, before anything is drawn."""

import pytest
from starlette.requests import Request

from ui.language import language_of, theme_of, translator


def request(cookie="", accept=""):
    headers = [(b"cookie", cookie.encode()), (b"accept-language", accept.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("stored", "cookie", "accept", "expected"),
    [
        (None, "", "", "en"),
        (None, "", "zh-TW,en;q=0.8", "zh"),
        (None, "", "de,fr;q=0.9,zh;q=0.8", "zh"),
        (None, "weir_lang=en", "zh-CN", "en"),
        ("zh", "weir_lang=en", "en", "zh"),
        (None, "weir_lang=klingon", "zh", "zh"),
    ],
)
def test_a_choice_counts_before_the_cookie_and_the_cookie_before_the_browser(stored, cookie, accept, expected):
    assert language_of(request(cookie, accept), stored) == expected


@pytest.mark.parametrize(
    ("stored", "cookie", "expected"),
    [
        (None, "", "auto"),
        (None, "weir_theme=dark", "dark"),
        ("light", "weir_theme=dark", "light"),
        ("pink", "", "auto"),
    ],
)
def test_a_theme_is_the_chosen_one_or_the_systems(stored, cookie, expected):
    assert theme_of(request(cookie), stored) == expected


def test_a_text_takes_its_values_as_they_are():
    assert translator("en")("tile.oldest", age="{n} <b>") == "oldest {n} <b>"


def test_an_unknown_text_is_an_error():
    with pytest.raises(KeyError):
        translator("en")("no.such.text")
