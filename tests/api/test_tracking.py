"""Tracking numbers over the API."""

PLACE = "/api/v1/tracking"


async def test_a_text_is_answered_with_its_tracking_numbers(admin):
    answer = await admin.get(PLACE, params={"text": "😀 parcel 1Z37EJ8B0322420403"})
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "start": 9,
                "end": 27,
                "number": "1Z37EJ8B0322420403",
                "carriers": ["UPS"],
                "formats": ["ups"],
                "url": "https://www.ups.com/track?tracknum=1Z37EJ8B0322420403",
                "sure": True,
            }
        ]
    }


async def test_no_text_and_too_much_text_are_refused(admin):
    for text in ("", "x" * 8001):
        assert (await admin.get(PLACE, params={"text": text})).status_code == 422


async def test_nobody_asks_without_a_token(stranger):
    assert (await stranger.get(PLACE, params={"text": "x"})).status_code == 401
