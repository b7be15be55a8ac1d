# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import pytest

from services.labels.rules import Matcher, compared, is_neutral
from services.labels.words import BUILT_IN, LANGUAGES, SENSITIVE, TOPICS, LanguageWords, Strengths, packaged
from storage.label_records import OwnWords


def matcher(lang):
    return Matcher(packaged(lang))


def words(**labels):
    return LanguageWords(script="words", labels=labels, sensitive=[], neutral=[])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_words_for_every_topic_and_for_what_is_sensitive(lang):
    known = packaged(lang)
    assert set(known.labels) == set(TOPICS)
    assert all(len(strengths.strong) >= 6 for strengths in known.labels.values())
    assert len(known.sensitive) >= 20
    assert set(known.unless) <= set(TOPICS)
    assert len(known.neutral) >= 20


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_packaged_word_is_found_where_it_stands_alone(lang):
    known = matcher(lang)
    spaced = packaged(lang).script == "words"
    for label, strengths in packaged(lang).labels.items():
        for phrase in strengths.strong:
            text = phrase.replace("_", "").replace("*", "") if spaced else phrase
            found = {hit.phrase for hit in known.find(text).hits}
            covered = label not in known.find(text).labels
            assert phrase in found or covered, (lang, label, phrase)


def test_a_longer_phrase_of_another_label_counts_instead():
    known = matcher("zh")
    assert known.find("货到付款可以吗").labels == ("payment",)
    assert known.find("想改一下收货地址").labels == ("order_change",)


def test_one_weak_word_does_not_decide_and_two_do():
    known = Matcher(words(payment=Strengths(strong=[], weak=["card", "bank"])))
    assert known.find("there is a card in the box").labels == ()
    assert known.find("my bank says the card is fine").labels == ("payment",)


def test_in_a_very_short_text_a_weak_word_is_enough():
    assert Matcher(words(payment=Strengths(strong=[], weak=["card"]))).find("Card?").labels == ("payment",)


def test_a_word_with_a_star_may_go_on_and_one_without_may_not():
    known = Matcher(words(refund=Strengths(strong=["refund*"]), payment=Strengths(strong=["vat"])))
    assert known.find("I was refunded at last it seems").labels == ("refund",)
    assert known.find("the vatican museum shop is nice").labels == ()


def test_a_gap_stands_for_up_to_three_words():
    known = Matcher(words(order_change=Strengths(strong=["change _ address"])))
    assert known.find("please change the delivery address now").labels == ("order_change",)
    assert known.find("change address").labels == ("order_change",)
    assert known.find("change a b c d address").labels == ()


def test_accents_do_not_matter_where_people_leave_them_out():
    assert (
        matcher("es").find("la direccion esta mal, aun no llega").labels
        == matcher("es").find("La dirección está mal, aún no llega").labels
    )
    assert matcher("vi").find("toi muon tra lai hang va hoan tien").labels[0] in {"refund", "return_exchange"}


def test_a_word_of_one_character_is_found_once_wherever_it_stands():
    known = Matcher(LanguageWords(script="letters", labels={"payment": Strengths(["付"])}, sensitive=[], neutral=[]))
    for text in ("付", "我付", "付钱吧", "先付吧"):
        assert [hit.phrase for hit in known.find(text).hits] == ["付"]


def test_full_width_and_capital_letters_are_the_same_letters():
    assert compared("ＲＥＦＵＮＤ！", spaced=True, fold=False) == "refund"
    assert matcher("en").find("ＲＥＦＵＮＤ").labels == ("refund",)


def test_a_latin_word_within_another_is_not_found_in_a_script_without_spaces():
    assert matcher("th").find("systems").hits == ()


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("zh", "再不处理我就向银行拒付"), ("zh", "准备诉讼吧"), ("en", "I filed a chargeback"),
        ("de", "Ich gehe zum Anwalt"),
        ("fr", "Je vais voir un avocat"), ("es", "voy a demandarlos con mi abogado"), ("pt", "vou no Procon"),
        ("th", "จะฟ้องร้องแล้วนะ"), ("vi", "tôi sẽ kiện ra tòa"), ("id", "saya lapor polisi"),
        ("ja", "弁護士に相談します"),
        ("ko", "변호사와 상의하겠습니다"),
    ],
)  # fmt: skip
def test_a_threat_is_sensitive(lang, text):
    assert matcher(lang).find(text).sensitive


@pytest.mark.parametrize(
    "text", ["ok", "OK!!", "okkkk", "谢谢", "ขอบคุณค่ะ 🙏", "👍", "12345", "Danke schön.", "네", "", "..."]
)
def test_what_says_nothing_is_neutral(text):
    assert is_neutral(text)


@pytest.mark.parametrize("text", ["no refund", "退款", "ok where is it then", "?? where"])
def test_what_says_something_is_not_neutral(text):
    assert not is_neutral(text)


def test_words_people_add_are_found_and_those_they_switch_off_are_not():
    own = [
        OwnWords(lang="en", label="warehouse", added=["stock room*"]),
        OwnWords(lang="en", label="refund", off=["refund*"]),
        OwnWords(lang="en", label=SENSITIVE, added=["ombudsman"], off=["lawyer"]),
    ]
    known = Matcher(packaged("en"), own)
    assert known.find("ask the stock rooms about it please").labels == ("warehouse",)
    assert "refund" not in known.find("a refund is what I would like to have").labels
    assert known.find("the ombudsman will hear of it").sensitive
    assert not known.find("my lawyer will hear of it").sensitive


def test_a_very_long_text_is_looked_at_up_to_a_bound():
    assert matcher("en").find("x " * 100_000 + "refund").labels == ()


def test_the_built_in_labels_end_with_the_one_for_what_fits_nothing():
    assert BUILT_IN[-1] == "other"
