from __future__ import annotations

import pytest

from services.labels.classifier import packaged_classifier
from services.labels.labelling import EVERY, NOTHING, Labeller
from services.labels.words import BUILT_IN
from storage.label_records import OwnWords


@pytest.fixture(scope="module")
def labeller():
    return Labeller()


@pytest.mark.parametrize(
    ("text", "label", "lang"),
    [
        ("I was charged twice for the same thing", "payment", "en"),
        ("The box arrived broken and two cups are missing", "after_sales", "en"),
        ("My parcel has not arrived", "logistics", "en"),
        ("退货怎么操作", "return_exchange", "zh"),
        ("快递丢了 我要投诉", "complaint", "zh"),
        ("Ich möchte meine Bestellung stornieren", "order_change", "de"),
        ("Bonjour, je n'ai toujours pas reçu mon colis", "logistics", "fr"),
        ("¿Tienen algún cupón de descuento?", "promotion", "es"),
        ("Esqueci minha senha", "account", "pt"),
        ("ขอคืนเงินค่ะ", "refund", "th"),
        ("Shop ơi áo này còn size M không?", "product_enquiry", "vi"),
        ("barangnya rusak kak, tidak bisa nyala", "after_sales", "id"),
        ("注文をキャンセルしたいです", "order_change", "ja"),
        ("비밀번호를 잊어버렸어요", "account", "ko"),
    ],
)
def test_a_text_gets_its_label_and_its_language(labeller, text, label, lang):
    labelled = labeller.label(text)
    assert label in labelled.labels
    assert labelled.lang == lang
    assert labelled.sure


def test_malay_is_labelled_by_the_words_of_indonesian(labeller):
    labelled = labeller.label("Kerajaan negeri kata bayaran saya belum refund, nak wang balik")
    assert (labelled.labels[0], labelled.lang) == ("refund", "ms")


@pytest.mark.parametrize("text", ["ok", "thanks", "👍", "123", "", "谢谢", "!!!"])
def test_a_neutral_text_gets_no_label_and_no_language(labeller, text):
    assert labeller.label(text) == NOTHING


def test_other_is_for_what_says_something_and_fits_nothing(labeller):
    assert labeller.label("ich wohne in der nähe vom bahnhof").labels == ("other",)
    assert labeller.label("hmm xyz").labels == ()


def test_other_never_stands_beside_a_label(labeller):
    for text in ("where is my parcel and how is the weather", "退款 今天天气不错"):
        assert "other" not in labeller.label(text).labels


def test_a_threat_without_a_topic_is_a_sensitive_complaint(labeller):
    labelled = labeller.label("you will hear from my attorney")
    assert (labelled.labels, labelled.sensitive) == (("complaint",), True)


def test_the_language_a_platform_told_is_used_by_its_base(labeller):
    assert labeller.label("物流", "zh-CN").lang == "zh"
    assert labeller.label("pedido cancelado", "pt_BR").lang == "pt"


def test_a_wrong_language_from_the_platform_does_not_hide_the_words(labeller):
    labelled = labeller.label("我要退款", "en")
    assert (labelled.labels, labelled.lang) == (("refund",), "zh")


def test_a_misspelt_text_is_left_to_the_model(labeller):
    explained = labeller.explain("can i get reembursed for my ordr")
    assert explained.model is not None
    assert explained.labelled.labels == ("refund",)
    assert not explained.labelled.sure


def test_own_words_for_every_language_count_in_each():
    labeller = Labeller([OwnWords(lang=EVERY, label="vip_club", added=["gold club"])])
    assert "vip_club" in labeller.label("Bin ich im Gold Club dabei?").labels
    assert "vip_club" in labeller.label("Am I in the gold club?").labels


def test_the_same_text_is_explained_by_the_phrases_that_hit(labeller):
    explained = labeller.explain("refund my order, tracking shows nothing")
    assert {"refund*", "tracking"} <= {hit.phrase for hit in explained.hits}


def test_the_model_is_small_and_knows_every_label():
    classifier = packaged_classifier()
    assert set(classifier.probabilities("where is it") or {}) == set(BUILT_IN)
    assert sum((classifier.probabilities("where is it") or {}).values()) == pytest.approx(1)
    assert classifier.languages == {"en", "id"}


def test_hostile_texts_are_labelled_without_an_error(labeller):
    for text in ("\x00" * 50, "a" * 100_000, "\ud800 lone surrogate refund", "ﷺ" * 500, "é" * 3_000, "퟿" * 9):
        labeller.label(text)


def test_texts_that_differ_in_their_numbers_are_looked_at_once():
    labeller = Labeller()
    first = labeller.label("Where is order 20251130 please?")
    assert labeller.label("Where is order 90817263 please?") == first
    assert labeller.looked_at == 1
    assert "logistics" in first.labels


def test_short_numbers_and_laughter_are_read_as_they_stand():
    labeller = Labeller()
    labeller.label("size 42")
    labeller.label("size 43")
    assert labeller.looked_at == 2
    assert labeller.label("55555") == NOTHING


def test_a_number_among_ones_own_words_is_found():
    labeller = Labeller([OwnWords(lang=EVERY, label="promotion", added=("festival 2026",))])
    assert labeller.label("tell me about festival 2026").labels == ("promotion",)
    assert labeller.label("tell me about festival 2027").labels != ("promotion",)
