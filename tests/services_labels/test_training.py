from __future__ import annotations

import csv

import pytest

from actors.errors import ConfigurationError
from services.labels.classifier import Classifier
from services.labels.model_file import FILE, read
from services.labels.training.__main__ import main, trained
from services.labels.training.samples import Sample, samples
from services.labels.words import DATA

TEXTS = {
    "refund": ("refund me", "i want my refund", "refund of the money please", "money refunded"),
    "logistics": ("where is the parcel", "parcel tracking", "the parcel is late", "track a parcel"),
}


def rows():
    return [
        Sample("en", "made", text, label, side)
        for label, texts in TEXTS.items()
        for text in texts
        for side in ("train", "tune")
    ]


def test_the_same_rows_give_the_same_file_and_a_model_that_learned_them():
    first, second = trained(rows()), trained(rows())
    assert first == second
    classifier = Classifier(read(first))
    assert classifier.verdict("the parcel").label == "logistics"
    assert classifier.verdict("refunded").label == "refund"


def test_the_packaged_model_is_small():
    assert (DATA / FILE).stat().st_size < 1_000_000


def test_a_damaged_model_is_refused_with_advice():
    data = (DATA / FILE).read_bytes()
    with pytest.raises(ConfigurationError, match="install Weir anew"):
        read(data[:-10])
    with pytest.raises(ConfigurationError, match="install Weir anew"):
        read(b"nonsense")


def test_rows_of_the_same_content_words_stay_on_one_side(tmp_path):
    folder = tmp_path / "intents_bitext_en"
    folder.mkdir()
    with (folder / "utterances.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("text", "intent", "inbox_label", "also_ok"))
        for text in ("cancel purchase 12", "can you cancel the purchase 99", "I want to cancel my purchase"):
            out.writerow((text, "cancel_order", "order_change", "refund"))
    found = [row for row in samples(tmp_path) if row.source != "words"]
    assert len(found) == 3
    assert len({row.side for row in found}) == 1
    assert found[0].also_ok == ("refund",)


def test_a_folder_without_data_is_told(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "model.bin")]) == 2
    assert "holds none of the data sets" in capsys.readouterr().err
    assert not (tmp_path / "model.bin").exists()
