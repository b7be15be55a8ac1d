"""Receipts come in any order: how a message ends depends on which ones came, and not on when."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from actors.events import Failure, Message, Receipt, Sender
from actors.keys import conversation_key
from actors.state import ConversationState

AT = 1_700_000_000_000
TOLD = (("accepted", "e1"), ("delivered", "e2"), ("read", "e3"), ("failed", "e4"), ("accepted", "e5"))
ORDERS = list(permutations(TOLD))
CHANNEL = {"platform": "ebay", "account": "shop"}


def answer(conversation):
    sender = Sender(id="mei", role="agent")
    return Message(
        **CHANNEL, conversation=conversation, message="a1", at=AT, sent_at=AT, direction="out", sender=sender, text="hi"
    )


def receipt(conversation, status, event):
    error = Failure(code="7", reason="blocked") if status == "failed" else None
    named = f"{conversation}/{event}"
    return Receipt(**CHANNEL, conversation=conversation, message="a1", status=status, at=AT, event=named, error=error)


@pytest.mark.parametrize("place", range(len(TOLD) + 1))
async def test_all_orders_of_receipts_end_in_one_row_one_state_and_no_open_trouble(product, place):
    """The message itself comes at `place`: whatever came before it had to wait for it."""
    await product.start()
    keys = []
    for number, order in enumerate(ORDERS):
        conversation = f"c{number:03}"
        told = [receipt(conversation, *one) for one in order]
        await product.gateway.submit([*told[:place], answer(conversation), *told[place:]])
        keys.append(conversation_key("ebay", "shop", conversation))
    await product.runtime.settled()
    rows = [await product.store.message(key, "a1") for key in keys]
    assert {msgspec.json.encode((row.hops, row.text, row.copies, row.versions)) for row in rows} == {
        msgspec.json.encode((rows[0].hops, "hi", 0, []))
    }
    assert rows[0].hops.keys() == {"accepted", "delivered", "read", "failed"}
    states = [
        msgspec.msgpack.decode(row.state, type=ConversationState)
        for row in await product.store.conversation_states(keys)
    ]
    assert len(states) == len(ORDERS)
    assert {state.held["a1"].flags for state in states} == {states[0].held["a1"].flags}
    assert not any(state.receipts or state.open or state.early for state in states)
    assert {(one.kind, one.status, one.resolution) for one in await product.anomalies()} == {
        ("loss", "resolved", "delivered")
    }


async def test_a_refusal_is_told_of_exactly_where_nothing_had_proved_the_message_to_be_there(product):
    """Ruling 26: `failed` opens unless `delivered` or `read` came before it; then the refusal was wrong."""
    await product.start()
    expected = set()
    for number, order in enumerate(ORDERS):
        conversation = f"c{number:03}"
        await product.gateway.submit([answer(conversation), *(receipt(conversation, *one) for one in order)])
        statuses = [status for status, _ in order]
        if statuses.index("failed") < min(statuses.index("delivered"), statuses.index("read")):
            expected.add(conversation)
    await product.runtime.settled()
    assert {one.conversation for one in await product.anomalies()} == expected
