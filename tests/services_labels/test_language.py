# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import pytest

from services.labels.language import guess_language

SHORT = {
    "en": ("Where is my parcel?", "refund please", "How much is the shipping?"),
    "zh": ("退款", "什么时候发货？", "請問什麼時候到貨"),
    "de": ("Wo bleibt mein Paket?", "Rücksendung", "Ich habe noch nichts erhalten"),
    "fr": ("Où est mon colis ?", "Je voudrais un remboursement", "taille trop petite"),
    "es": ("¿Dónde está mi pedido?", "quiero cancelar mi pedido", "no me ha llegado nada"),
    "pt": ("Cadê meu pedido?", "Não recebi o produto", "código de rastreamento"),
    "th": ("ยังไม่ได้รับของ", "ขอคืนเงิน", "สั่ง iPhone case ไปเมื่อวานค่ะ"),
    "vi": ("Khi nào giao hàng vậy shop?", "Tôi muốn trả hàng", "hang cua toi bao gio giao"),
    "id": ("kapan dikirim kak?", "barangnya rusak", "pesanan saya belum sampai"),
    "ja": ("返品したいです", "いつ届きますか", "領収書"),
    "ko": ("언제 도착하나요?", "환불해 주세요", "배송 조회"),
}


@pytest.mark.parametrize(("lang", "text"), [(lang, text) for lang, texts in SHORT.items() for text in texts])
def test_a_short_text_is_of_its_language(lang, text):
    guess = guess_language(text)
    assert guess is not None
    assert guess.lang == lang


@pytest.mark.parametrize("text", ["", "  ", "12345", "👍👍", "https://shop.example/p/1?x=2", "A1-2233", "....."])
def test_what_has_no_words_is_of_no_language(text):
    assert guess_language(text) is None


def test_a_product_name_does_not_change_the_language_of_a_text():
    assert guess_language("iPhone 15 Pro Max ケースはありますか").lang == "ja"
    assert guess_language("请问有 Nike Air Max 270 吗").lang == "zh"


def test_a_single_kana_makes_no_japanese_of_a_chinese_text():
    assert guess_language("优の良品 这个还有货吗 什么时候发货").lang == "zh"


def test_a_language_of_no_rules_is_told_apart_from_those_with_rules():
    assert guess_language("Waar blijft mijn pakket? Ik heb het nog niet ontvangen").lang == "nl"
    assert guess_language("Где моя посылка, уже две недели жду").lang == "ru"
    assert guess_language("Penghantaran sangat lambat, saya nak wang saya balik").lang == "ms"
    assert guess_language("أين طلبي؟ لم يصل بعد").lang == "ar"


def test_a_guess_tells_how_sure_it_is():
    assert guess_language("Where is the parcel that I have been waiting for?").sure
    assert not guess_language("Pajero").sure
