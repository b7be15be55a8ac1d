"""What connectors share that ask a platform: addresses, answers, and what is shown of a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import RejectedError
from connectors.contract.asking import address, answered, readable, says_yes, told
from connectors.contract.calling import ApiRequest, ApiResponse, RefusedError, UncertainError
from connectors.contract.connector import Binding, UnreadableError
from connectors.contract.fetched import address_of, unfetchable
from tests.connectors.meta_contract import file, reply


def bound(**settings):
    return Binding(account="a", url="https://weir.example/", settings=settings)


def test_an_address_is_the_settings_or_the_platforms():
    assert address(bound(), "api_url", "https://api.example") == "https://api.example"
    assert address(bound(api_url="http://127.0.0.1:9/"), "api_url", "https://api.example") == "http://127.0.0.1:9"


def test_a_setting_is_yes_or_no():
    assert [says_yes(bound(**one), "x") for one in ({}, {"x": ""}, {"x": "no"}, {"x": "yes"})] == [False] * 3 + [True]
    with pytest.raises(RejectedError, match="x is `yes` or `no`"):
        says_yes(bound(x="Yes, please"), "x")


def test_an_answer_that_says_nothing_is_uncertain():
    assert answered(ApiResponse(status=200, body=b'{"a":1}')) == {"a": 1}
    assert told(ApiResponse(status=500, body=b"<html>")) == {}
    for body in (b"", b"[]", b"<html>"):
        with pytest.raises(UncertainError):
            answered(ApiResponse(status=200, body=body))
    with pytest.raises(UncertainError, match="no id"), readable():
        raise UnreadableError("no id")


def test_a_file_without_address_cannot_be_fetched():
    with_it, without_it = file(url="https://weir.example/f/1"), file()
    assert [one.code for one in unfetchable(reply(files=[with_it, without_it]))] == ["file_without_address"]
    assert address_of(with_it) == "https://weir.example/f/1"
    with pytest.raises(RefusedError):
        address_of(without_it)


def test_a_request_shows_its_host_alone():
    secret = "https://name:pa55@api.example:8443/bot1:tok?key=tok#tok"
    assert repr(ApiRequest(method="GET", url=secret)) == "ApiRequest(GET api.example:8443)"


@given(st.text(max_size=40))
def test_whatever_its_address_is_a_request_can_be_shown(url):
    assert repr(ApiRequest(method="GET", url=url)).startswith("ApiRequest(GET ")
