"""Which conversations changed since when."""

from hypothesis import given
from hypothesis import strategies as st

from services.inbox.live.changes import Changes


def test_what_changed_after_a_number_is_told_the_latest_first():
    changes = Changes()
    seq = changes.add(["a", "b"])
    changes.add(["c", "a"])
    assert changes.since(seq, 10) == ["a", "c"]
    assert changes.since(changes.seq, 10) == []


def test_more_than_may_be_told_is_nothing_that_can_be_relied_on():
    changes = Changes()
    changes.add(["a", "b", "c"])
    assert changes.since(0, 2) is None
    assert changes.since(0, 3) == ["c", "b", "a"]


def test_what_is_forgotten_is_not_taken_for_unchanged():
    changes = Changes(most=2)
    seq = changes.add(["a"])
    changes.add(["b", "c", "d"])
    assert changes.since(seq, 10) is None
    assert changes.number("a") > seq
    assert changes.since(changes.seq - 1, 10) == ["d"]


def test_a_number_of_the_future_is_another_followers():
    changes = Changes()
    changes.add(["a"])
    assert changes.since(99, 10) is None


def test_after_something_unnamed_changed_everybody_reads_anew():
    changes = Changes()
    seq = changes.add(["a"])
    changes.lost()
    assert changes.since(seq, 10) is None
    assert changes.since(changes.seq, 10) == []


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=20), st.integers(1, 6), st.data())
def test_it_names_everything_that_changed_or_says_that_it_cannot(steps, most, data):
    changes = Changes(most=most)
    seen = [(0, 0)]
    for index, keys in enumerate(steps):
        seen.append((changes.add(keys), index + 1))
    seq, index = data.draw(st.sampled_from(seen))
    found = changes.since(seq, 1_000)
    assert found is None or set(found) == {key for keys in steps[index:] for key in keys}
