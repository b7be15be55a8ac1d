"""What waits to be told to one open inbox."""

import pytest
from msgspec import Raw, json

from services.inbox.live.screens import Screen
from services.people.permissions import Caller
from storage.inbox_records import Scope


@pytest.fixture
def screen():
    return Screen("s1", Caller(name="ann", role="agent", via="session"), Scope(everything=True))


def told(screen):
    return [json.decode(frame) for frame in screen.take(1, 0)]


def test_what_changes_out_of_sight_is_told_at_once_then_once_a_second(screen):
    screen.fresh(2)
    assert screen.news.is_set()
    assert [frame["fresh"] for frame in told(screen)] == [2]
    screen.fresh(1)
    screen.fresh(1)
    assert not screen.news.is_set()
    screen.second()
    assert screen.news.is_set()
    assert [frame["fresh"] for frame in told(screen)] == [2]


def test_what_changes_out_of_sight_goes_with_what_does_in_sight(screen):
    screen.fresh(1)
    told(screen)
    screen.fresh(4)
    screen.row("shopee/sg/1", Raw(b'{"key":"shopee/sg/1"}'))
    (frame,) = told(screen)
    assert (frame["fresh"], frame["rows"]) == (4, [{"key": "shopee/sg/1"}])


def test_after_a_calm_second_the_next_is_told_at_once_again(screen):
    screen.fresh(1)
    told(screen)
    screen.second()
    assert not screen.news.is_set()
    screen.fresh(1)
    assert screen.news.is_set()
