"""AT-16: six pictures at once from somebody new are one conversation with six messages."""

import asyncio

import httpx

from tests.acceptance.deployment import until
from tests.acceptance.words import whatsapp, whatsapp_file

ROUNDS = 200
ALBUM = (
    ("image", "image/jpeg"),
    ("image", "image/jpeg"),
    ("image", "image/jpeg"),
    ("image", "image/jpeg"),
    ("audio", "audio/ogg"),
    ("document", "application/pdf"),
)
PICTURES = (("image", "image/jpeg"),) * 6


def album(shop, number):
    """A new person, and six webhooks with a file each: every other time of several kinds."""
    person = f"5511{number:08}"
    files = ALBUM if number % 2 else PICTURES
    return person, [
        whatsapp(shop, messages=[whatsapp_file(person, f"wamid.{number}.{index}", kind, f"{number}{index}", mime)])
        for index, (kind, mime) in enumerate(files)
    ]


async def test_pictures_that_come_at_once_are_one_conversation_and_none_is_taken_for_another(shop_of):
    """DUP(conversation) cannot be: a conversation's name is made of the person's, so that two of one are not stored.

    The six come side by side in each of two hundred rounds. Files with other content are other messages.
    """
    shop = shop_of("whatsapp")
    persons = []
    weir = shop.deployment.weir
    async with httpx.AsyncClient(base_url=weir.base_url, trust_env=False, timeout=30) as client:
        for number in range(ROUNDS):
            person, bodies = album(shop, number)
            answers = await asyncio.gather(*(shop.post(body, client=client) for body in bodies))
            assert {answer.status_code for answer in answers} == {200}
            persons.append(person)
    # what becomes of the files is told beside the messages
    until(lambda: shop.ledger()["accepted"] >= 6 * ROUNDS and shop.balances(), shop.ledger)
    assert shop.anomalies("duplicate") == []
    until(lambda: sum(one["messages"] for one in shop.conversations()) == 6 * ROUNDS, shop.ledger)
    assert sorted(one["conversation"] for one in shop.conversations()) == sorted(persons)
    assert {one["messages"] for one in shop.conversations()} == {6}
    assert {len({row["message"] for row in shop.messages(person)}) for person in persons} == {6}


def test_the_emulators_own_album_is_one_conversation_too(shop_of):
    """The same as the platform itself delivers it, one after the other, with files that are there."""
    shop = shop_of("telegram")
    (first, *_) = written = shop.says(picture=True, times=6)
    until(lambda: shop.has(*(one["id"] for one in written)), shop.rows)
    assert [one["conversation"] for one in shop.conversations()] == [first["conversation"]]
    assert shop.anomalies("duplicate") == []
