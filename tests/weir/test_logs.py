"""What is logged is one line, and holds no secret and no personal data."""

import csv
import io
import json
import logging

import pytest
import structlog

from services.masking import MASK, mask_text
from weir.logs import configure_logs, mask


@pytest.fixture
def lines(monkeypatch):
    """Log lines as JSON records; the process's own logging comes back afterwards."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("json", "info")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_says_what_where_and_when(lines):
    structlog.contextvars.bind_contextvars(partition=3, offset=41)
    structlog.get_logger("weir.test").warning("a thing happened", records=2)
    [line] = lines()
    assert line["event"] == "a thing happened"
    assert (line["partition"], line["offset"], line["records"]) == (3, 41, 2)
    assert line["level"] == "warning"
    assert line["timestamp"].endswith("Z")


def test_names_texts_and_secrets_are_masked_by_their_name(lines):
    structlog.get_logger("weir.test").info("x", text="hello", sender={"name": "Ann", "id": 7}, password="p", count=1)
    [line] = lines()
    assert line["text"] == line["password"] == MASK
    assert "Ann" not in json.dumps(line)
    assert line["count"] == 1


def test_what_libraries_log_is_masked_too(lines):
    logging.getLogger("library").error("refused %s for %s", "Bearer abcdef123456", "ann@example.com")
    [line] = lines()
    assert "abcdef123456" not in line["event"]
    assert "ann@example.com" not in line["event"]


def test_the_stack_of_an_error_is_masked(lines):
    try:
        int("cannot read ann@example.com, call +49 151 23456789")
    except ValueError:
        structlog.get_logger("weir.test").exception("failed")
    [line] = lines()
    assert "ValueError" in line["exception"]
    assert "example.com" not in line["exception"]
    assert "23456789" not in line["exception"]


def test_bytes_are_never_written():
    assert mask(None, "info", {"event": "x", "data": b"secret"})["data"] == "[6 bytes]"


@pytest.mark.parametrize(
    "text",
    [
        "token weir_abcdefghijklmnop",
        "password=hunter2222",
        "authorization: Bearer abc.def-ghi",
        "card 4111 1111 1111 1111",
        "call (030) 1234-5678 now",
        "mail a.b+c@example.co.jp today",
        "电话１３１２３４５９０１４",
    ],
)
def test_secrets_are_masked_by_their_shape(text):
    assert MASK in mask_text(text)


@pytest.mark.parametrize("text", ["partition 3 offset 41", "order SO-1948", "LK478666185TH", "3 of 12 done"])
def test_what_is_no_secret_stays(text):
    assert mask_text(text) == text


def folder_of(public_data):
    folder = public_data / "pii_masking"
    if not folder.is_dir():
        pytest.skip(f"no masking cases at {folder}")
    return folder


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_every_contact_and_card_of_the_chat_cases_is_masked_and_no_tracking_number(public_data):
    lines = (folder_of(public_data) / "chat_cases.jsonl").read_text(encoding="utf-8").strip().split("\n")
    for case in map(json.loads, lines):
        masked = mask_text(case["text"])
        for span in case["spans"]:
            value = case["text"][span["start"] : span["end"]]
            if span["type"] in {"PHONE", "CARD", "EMAIL"}:
                assert value not in masked
            elif span["type"] == "KEEP_TRACKING":
                assert value in masked


def test_every_card_and_phone_number_is_masked(public_data):
    folder = folder_of(public_data)
    numbers = [row["number"] for row in rows_of(folder / "cards.csv")]
    numbers += [row["e164"] for row in rows_of(folder / "phones.csv") if len(row["e164"]) > 7]
    for number in numbers:
        assert mask_text(f"it is {number} x") == f"it is {MASK} x"
