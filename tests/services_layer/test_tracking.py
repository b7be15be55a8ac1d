"""Tracking numbers in texts: what is found, what is no tracking number, where it links to."""

import pytest

from services.tracking import CARRIERS, link, matching, plain, recognise

FOUND = [
    ("快递单号 1Z37EJ8B0322420403 物流三天没更新了", "1Z37EJ8B0322420403", "UPS"),
    ("追跡番号CP291180645CNですが、まだ届きません。", "CP291180645CN", "Post (S10)"),
    ("No resi 1Z86 JDKE YW82 9599 67 kok belum sampai kak?", "1Z86JDKEYW82959967", "UPS"),
    ("เลขพัสดุ rr651072966sg ยังไม่ถึงเลยค่ะ", "RR651072966SG", "Post (S10)"),
    ("Order 20231107-88231 shipped with 8094249225 - when will it arrive?", "8094249225", "DHL"),
    ("N° de suivi : 6810-8656-70. Toujours rien reçu.", "6810865670", "DHL"),
    ("송장번호 0086 5133 2947 6004 5044 6327 250A 배송이 안 와요", "008651332947600450446327250A", "DPD"),
    ("my parcel 9374-8755-08072961103867 has not moved", "9374875508072961103867", "USPS"),
    ("包裹 YT1264141605568491 显示签收但没收到", "YT1264141605568491", "YunExpress"),
    ("tracking no. ９８７９２５６０８１４９", "987925608149", "FedEx"),  # noqa: RUF001 # full width, as Asian keyboards write
    ("Kerry says KEXTH0012345678 is lost", "KEXTH0012345678", "Kerry Express"),
    ("ヤマト運輸 1234-5678-9012 が届きません", None, None),
    ("ヤマト 4567-1234-5670 が届きません", "456712345670", "Yamato"),
    ("顺丰 SF1234567890123 到哪了", "SF1234567890123", "SF Express"),
    ("LP00123456789012 菜鸟", "LP00123456789012", "Cainiao"),
    ("Royal Mail RB123456785GB please", "RB123456785GB", "Royal Mail"),
]
NOTHING = [
    "Bestellnummer 959248330 bitte stornieren",
    "My order number is 595015959486, order date 2026-11-11",
    "order 114-2313592-2313592 (Amazon style)",
    "订单编号 784330525466105099 还没付款",
    "宝贝ID 948135109064 有没有货",
    "身份证号 11010519491231002X 需要吗",
    "我手机号13800138000 微信同号",
    "IBAN GB29 NWBK 6016 1331 9268 19",
    "ISBN 978-3-16-148410-0 is what I ordered",
    "주문번호 047547683636831 취소해주세요",
    "注文番号 598120-91748122-0429644501 の件です",
    "call me about the parcel: +44 20 7946 0018, or +1 415 555 2671",
    "โทร 0812345678 เรื่องพัสดุ",
    "please pay 1234567890.50 for it",
    "see https://example.com/track/1Z37EJ8B0322420403 and a@1Z37EJ8B0322420403.example",
    "TRK#2118142102",
    "tracking no. 1ZRF3P910370572997",
    "the card is 4539 1488 0343 6467",
    "RB123456785XX",
    "hello, where are you?",
    "",
]


@pytest.mark.parametrize(("text", "number", "carrier"), FOUND)
def test_a_number_is_found_with_its_carrier(text, number, carrier):
    found = recognise(text)
    assert [one.number for one in found] == ([number] if number else [])
    for one in found:
        assert one.carriers[0] == carrier
        assert one.sure
        assert plain(text[one.start : one.end]).translate({c + 0xFEE0: c for c in range(0x30, 0x5B)}) == number


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_tracking_number_is_not_found(text):
    assert recognise(text) == []


def test_digits_alone_need_a_word_for_parcels_near_them():
    assert recognise("987925608149") == []
    assert [one.number for one in recognise("parcel 987925608149")] == ["987925608149"]
    assert recognise("parcel late; order number 987925608149") == []


def test_a_number_of_ones_own_order_is_found_wherever_it_stands():
    text = "order 55512 was sent as 7712345678 last week"
    assert recognise(text) == []
    [found] = recognise(text, known=["77 1234 5678"])
    assert (found.number, found.sure, text[found.start : found.end]) == ("7712345678", True, "7712345678")


def test_a_carriers_name_decides_between_formats():
    [plainly] = recognise("tracking 5868 1348 5549")
    assert plainly.carriers == ["FedEx"]
    [named] = recognise("J&T 586813485549")
    assert named.carriers[0] == "J&T Express"


def test_a_carriers_name_next_to_an_order_number_proves_nothing():
    assert recognise("GHN order ABC12345") == []


def test_check_digits_tell_a_mistyped_number():
    for right in ("1Z5R89390357567127", "RB123456785CN", "9400111206206406260787", "986578788855", "3318810014"):
        assert any(match.checked for match in matching(right))
        wrong = right.replace("7", "1", 1) if "7" in right else right.replace("3", "8", 1)
        assert not any(match.checked for match in matching(wrong)), wrong


def test_links_are_https_and_hold_the_number_only():
    for carrier in CARRIERS.values():
        address = link(carrier, "A1 &x=2/<")
        assert address is None or (address.startswith("https://") and "A1%20%26x%3D2%2F%3C" in address)
    assert recognise("UPS 1Z37EJ8B0322420403")[0].url == "https://www.ups.com/track?tracknum=1Z37EJ8B0322420403"


def test_places_count_code_points_after_what_changes_its_length_in_small_letters():
    text = "İİİ😀 parcel 1Z37EJ8B0322420403!"
    [found] = recognise(text)
    assert text[found.start : found.end] == "1Z37EJ8B0322420403"


def test_many_numbers_and_long_texts_are_bounded():
    assert len(recognise("1Z37EJ8B0322420403 \n" * 400)) == 50
    assert recognise("9" * 20_000) == []
    assert recognise("x" * 20_000 + " parcel 1Z37EJ8B0322420403") == []
