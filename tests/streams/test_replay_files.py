"""Trace files: lines, compression, damage (ruling 56 and 59) and what the report says of them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from actors.errors import ConfigurationError
from actors.intake import LONGEST_LINE
from streams.replay import replay_file
from streams.report import encode_report
from tests.actors.trace import as_lines, clock, message, notification

DATA = Path(__file__).resolve().parent.parent / "data"
STORY = [message("m1", 0, text="สินค้าไม่ตรงปก"), notification("m1", 1), message("m2", 2), clock(50)]
LINES = as_lines(STORY)
PLAIN = b"\n".join(LINES) + b"\n"


def replayed(path, data, name="trace.ndjson", **options):
    """The report of a file with these bytes."""
    file = path / name
    file.write_bytes(data)
    return replay_file(str(file), **options)


@pytest.fixture
def expected(tmp_path):
    report = replayed(tmp_path, PLAIN)
    assert (report["events"], report["messages"], report["rejected"]) == (4, 2, [])
    return report


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PLAIN,
        b"\xef\xbb\xbf" + PLAIN.replace(b"\n", b"\r\n"),
        b"\n \t\r\n" + PLAIN + b"\n\n",
        gzip.compress(PLAIN),
        gzip.compress(PLAIN[:200]) + gzip.compress(PLAIN[200:]),
        zstandard.ZstdCompressor().compress(PLAIN),
        zstandard.ZstdCompressor().compress(PLAIN[:200]) + zstandard.ZstdCompressor().compress(PLAIN[200:]),
        gzip.compress(b"\xef\xbb\xbf" + PLAIN),
    ],
    ids=[
        "no final newline",
        "crlf",
        "bom",
        "bom and crlf",
        "blank lines",
        "gzip",
        "two gzip members",
        "zstandard",
        "two zstandard frames",
        "bom within gzip",
    ],
)
@pytest.mark.parametrize("name", ["trace.ndjson", "trace.gz"])
def test_however_a_trace_is_written_the_report_is_the_same(tmp_path, expected, data, name):
    assert encode_report(replayed(tmp_path, data, name)) == encode_report(expected)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_trace_may_come_from_standard_input(monkeypatch, expected, pack):
    stdin = SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(pack(PLAIN))))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert encode_report(replay_file("-")) == encode_report(expected)


def test_lines_count_from_one_and_blank_ones_count(tmp_path):
    data = b"\n".join([b"", LINES[0], b"  ", b"[]", LINES[1], b"nonsense", b"", LINES[2]])
    report = replayed(tmp_path, data)
    assert [r["line"] for r in report["rejected"]] == [4, 6]
    assert all(r["error"] for r in report["rejected"])
    assert report["events"] == 3
    assert report["ledger"]["accepted"] == 5
    assert report["ledger"]["rejected"] == 2


def test_a_byte_order_mark_in_the_middle_is_no_json(tmp_path):
    assert [r["line"] for r in replayed(tmp_path, PLAIN + b"\xef\xbb\xbf" + LINES[2])["rejected"]] == [5]


def test_an_array_is_rejected(tmp_path):
    report = replayed(tmp_path, json.dumps(STORY).encode())
    assert [r["line"] for r in report["rejected"]] == [1]
    assert report["events"] == 0


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_over_one_mib_is_rejected_and_spoils_no_other(tmp_path, pack, end):
    whole = LINES[0][:-1] + b', "x": "' + b"x" * (LONGEST_LINE - len(LINES[0]) - len(b', "x": ""')) + b'"}'
    assert len(whole) == LONGEST_LINE
    longer = whole[:-2] + b'x"}'
    huge = b"y" * (5 * LONGEST_LINE)
    report = replayed(tmp_path, pack(end.join([whole, longer, LINES[1], huge, LINES[2], huge])))
    assert [r["line"] for r in report["rejected"]] == [2, 4, 6]
    assert report["events"] == 3


@pytest.mark.parametrize("data", [b"", b"\n\n", gzip.compress(b""), zstandard.ZstdCompressor().compress(b"")])
def test_an_empty_trace_has_an_empty_report(tmp_path, data):
    report = replayed(tmp_path, data)
    assert (report["events"], report["anomalies"], report["channels"], report["sla"]) == (0, [], [], [])
    assert report["ledger"]["accepted"] == 0


def long_trace():
    return b"".join(as_lines([message(f"m{n}", n, text=f"text {n * 7919}")])[0] + b"\n" for n in range(3000))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("kept", [0.3, 0.9, -1, -4, -9])
def test_a_compressed_file_that_is_cut_short_ends_with_an_error_and_never_with_half_a_report(tmp_path, pack, kept):
    data = pack(long_trace())
    with pytest.raises(ConfigurationError, match="damaged after line"):
        replayed(tmp_path, data[: int(len(data) * kept) if isinstance(kept, float) else kept])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
def test_a_damaged_compressed_file_ends_with_an_error_wherever_it_is_damaged(tmp_path, pack):
    data = pack(long_trace())
    for place in range(20, len(data) - 10, max(1, len(data) // 25)):
        broken = data[:place] + bytes(b ^ 0xFF for b in data[place : place + 3]) + data[place + 3 :]
        with pytest.raises(ConfigurationError, match="damaged after line"):
            replayed(tmp_path, broken)


def test_a_file_that_cannot_be_read_is_an_error_that_says_which(tmp_path):
    for path in (tmp_path / "nowhere.ndjson", tmp_path):
        with pytest.raises(ConfigurationError, match=str(path)):
            replay_file(str(path))


def test_progress_is_told_in_bytes_and_lines(tmp_path):
    seen = []
    replayed(tmp_path, PLAIN * 3000, progress=lambda read, number: seen.append((read, number)))
    assert [number for _, number in seen] == [5000, 10000]
    assert 0 < seen[0][0] <= len(PLAIN) * 3000


def test_the_json_test_suite_as_lines_harms_nothing(tmp_path, public_data):
    source = public_data / "bad_input" / "json_parsing.jsonl"
    if not source.is_file():
        pytest.skip(f"no {source}")
    rows = [json.loads(row) for row in source.read_text("utf-8").split("\n") if row]
    payloads = [base64.b64decode(row["b64"]) for row in rows if "b64" in row]
    payloads = [b"[" * 100_000, b'[{"":' * 50_000, *(p for p in payloads if b"\n" not in p and not p.isspace() and p)]
    report = replayed(tmp_path, b"\n".join(line for p in payloads for line in (p, LINES[3])))
    assert len(report["rejected"]) == len(payloads)
    assert report["events"] == len(payloads)
    assert report["ledger"]["accepted"] == 2 * len(payloads)


def test_a_whole_incident_gives_the_report_it_always_gave():
    story = DATA / "incident.ndjson"
    assert encode_report(replay_file(str(story))) == (DATA / "incident.report.json").read_bytes()


def test_no_customers_text_stands_in_the_reasons(tmp_path):
    secret = json.dumps(STORY[0] | {"seq": "4111 1111 1111 1111"}).encode()
    (refused,) = replayed(tmp_path, secret)["rejected"]
    assert "4111" not in refused["error"]
