"""From bytes to events: rulings 4, 56 to 60."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from actors.errors import RejectedError
from actors.events import EVENT_TYPES
from actors.intake import DEEPEST, LONGEST_LINE, LONGEST_TEXT, channel_hint, parse_event, split_batch, stamp
from tests.actors.trace import T0, answer, auth, checkpoint, message

PLAIN = message("m1", 0)


def parse(fields, **options):
    raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return parse_event(raw, **{"need_at": True} | options)


def refused(fields, **options):
    """Why an event is refused; fails when it is not."""
    with pytest.raises(RejectedError) as caught:
        parse(fields, **options)
    assert str(caught.value)
    return str(caught.value)


def line(value, name="odd"):
    """A sound message with one more field, given as JSON."""
    return json.dumps(PLAIN).encode()[:-1] + b', "' + name.encode() + b'": ' + value + b"}"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T00:00:00Z",
        "2026-11-23T00:00:00.000Z",
        "2026-11-23T08:00:00+08:00",
        "2026-11-22T14:00:00-10:00",
        "2026-11-23t00:00:00z",
        "2026-11-23T00:00:00.000999Z",
        T0,
    ],
)
def test_times_are_rfc_3339_or_integer_milliseconds(text):
    event = parse(PLAIN | {"at": text, "sent_at": text})
    assert (event.at, event.sent_at) == (T0, T0)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T00:00:00",
        "2026-11-23",
        "yesterday",
        "",
        str(T0),
        float(T0),
        T0 + 0.5,
        True,
        None,
        [],
        946_684_799_999,
        4_102_444_800_001,
        "1999-12-31T23:59:59.999Z",
        "2100-01-01T00:00:01Z",
        -1,
        0,
    ],
)
@pytest.mark.parametrize("name", ["at", "sent_at"])
def test_other_times_are_refused(name, value):
    assert name in refused(PLAIN | {name: value})


@pytest.mark.parametrize("value", [946_684_800_000, 4_102_444_800_000])
def test_the_years_2000_to_2100_are_accepted(value):
    assert parse(PLAIN | {"at": value, "sent_at": value}).at == value


def test_every_time_field_is_checked():
    for wrong in (
        checkpoint(0, 0, 1, 0) | {"from": 1},
        checkpoint(0, 0, 1, 0) | {"to": 1.5},
        auth(0, "ok", expires_at=5),
    ):
        refused(wrong)


def test_a_trace_needs_at_and_live_ingest_does_not():
    bare = {name: value for name, value in PLAIN.items() if name != "at"}
    assert "at" in refused(bare)
    event = parse(bare, need_at=False)
    assert event.at is None
    stamp(event, 5)
    assert event.at == 5
    stamp(event, 6)
    assert event.at == 5


@pytest.mark.parametrize("kind", [t.__struct_config__.tag for t in EVENT_TYPES])
def test_every_type_of_the_specification_is_known(kind):
    fields = {
        "type": kind,
        "platform": "p",
        "account": "a",
        "at": T0,
        "conversation": "c",
        "message": "m",
        "sent_at": T0,
        "direction": "in",
        "attachment": "f",
        "from": T0,
        "to": T0,
        "count": 0,
        "what": "opened",
    }
    event = None
    for status in ("ok", "accepted", "fired"):
        try:
            event = parse(fields | {"status": status})
        except RejectedError:
            continue
    if kind == "checkpoint":
        event = parse({name: fields[name] for name in ("type", "platform", "account", "at", "from", "to", "count")})
    assert event is not None
    assert event.__struct_config__.tag == kind


@pytest.mark.parametrize("kind", ["messages", "rejected", "", None, 7, ["message"]])
def test_an_unknown_type_is_refused(kind):
    assert "type" in refused(PLAIN | {"type": kind})


def test_an_event_without_a_type_is_refused_with_the_known_ones():
    reason = refused({name: value for name, value in PLAIN.items() if name != "type"})
    assert "type" in reason
    assert "receipt" in reason


@pytest.mark.parametrize("name", ["platform", "account", "conversation", "message", "sent_at", "direction"])
def test_what_is_required_is_required(name):
    assert name in refused({key: value for key, value in PLAIN.items() if key != name})


@pytest.mark.parametrize("name", ["platform", "account", "conversation", "message", "reply_to", "resend_of", "event"])
@pytest.mark.parametrize("value", [7, 7.0, "", True, {}])
def test_numeric_or_empty_ids_are_refused(name, value):
    assert name in refused(PLAIN | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 5),
        ("lang", ["en"]),
        ("vip", "yes"),
        ("vip", 1),
        ("history", "true"),
        ("direction", "inbound"),
        ("direction", None),
        ("via", "pull"),
        ("sender", "bob"),
        ("sender", {"role": "boss"}),
        ("sender", {"id": 5}),
        ("attachments", {}),
        ("attachments", [{"id": ""}]),
        ("attachments", [{"id": 5}]),
        ("attachments", [{"kind": "image"}]),
        ("attachments", ["f1"]),
        ("attachments", [{"id": "f", "size": "9"}]),
        ("value", 9.5),
        ("order", 5),
        ("seq", -1),
        ("seq", 2**53 + 1),
        ("seq", 1.0),
        ("seq", "1"),
        ("seq", True),
    ],
)
def test_a_known_field_of_the_wrong_type_is_refused(name, value):
    assert name in refused(PLAIN | {name: value})


@pytest.mark.parametrize("seq", [0, 1, 2**53])
def test_numbers_of_the_sequence(seq):
    assert parse(PLAIN | {"seq": seq}).seq == seq


@pytest.mark.parametrize(
    "fields",
    [
        checkpoint(0, 5, 1, 0),
        checkpoint(0, 0, 1, -1),
        checkpoint(0, 0, 1, 1, messages=["m"]),
        checkpoint(0, 0, 1, 2, conversation="c", messages=["m"]),
        checkpoint(0, 0, 1, 1, conversation="c", messages=[5]),
        checkpoint(0, 0, 1, 1, conversation="c", first_seq=3, last_seq=2),
        checkpoint(0, 0, 1, 1, first_seq=3),
        {"type": "action", "platform": "p", "account": "a", "at": T0, "what": "opened"},
        {"type": "action", "platform": "p", "account": "a", "at": T0, "what": "acknowledged", "conversation": "c"},
        {
            "type": "receipt",
            "platform": "p",
            "account": "a",
            "at": T0,
            "conversation": "c",
            "message": "m",
            "status": "lost",
        },
    ],
)
def test_rules_between_fields(fields):
    refused(fields)


def test_unknown_fields_are_kept_in_extra():
    event = parse(PLAIN | {"odd": {"a": [1, None, "x"]}, "extra": {"b": 2}})
    assert event.extra == {"odd": {"a": [1, None, "x"]}, "b": 2}
    assert parse(PLAIN).extra is None
    assert parse(PLAIN | {"extra": 5}).extra == {"extra": 5}


@pytest.mark.parametrize(
    "value", [b"1e400", b"-1e999", b"123123e100000", b"9" * 400, b"-" + b"9" * 30, b'[1, {"a": 1e999}]']
)
def test_an_unknown_number_that_no_machine_holds_is_kept_as_it_was_written(value):
    event = parse(line(value))
    assert event.extra == {"odd": value.decode()}
    msgspec.msgpack.encode(event)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (PLAIN | {"value": {"amount": 10**400}}, "amount"),
        (PLAIN | {"attachments": [{"id": "f", "size": 10**30}]}, "size"),
        (answer("a", 0) | {"type": "receipt", "status": "failed", "error": {"code": 2**70}}, "code"),
    ],
)
def test_a_known_number_that_no_machine_holds_is_refused(fields, name):
    assert name in refused(fields)


@pytest.mark.parametrize("kind", ["translation", "attachment"])
def test_details_with_odd_numbers_can_be_written_to_the_log(kind):
    fields = {
        "type": kind,
        "platform": "p",
        "account": "a",
        "at": T0,
        "conversation": "c",
        "message": "m",
        "attachment": "f",
        "status": "ok",
    }
    event = parse(fields | {"detail": {"n": 10**60}})
    msgspec.msgpack.encode(event)
    assert "1000" in str(event.detail)


def test_a_clock_with_odd_fields_can_be_written_to_the_log():
    msgspec.msgpack.encode(parse({"type": "clock", "at": T0, "platform": 10**60, "account": None, "event": 5}))


def test_an_array_or_a_scalar_is_refused():
    assert "array" in refused(b"[" + json.dumps(PLAIN).encode() + b"]")
    for raw in (b"5", b'"x"', b"null", b"", b"{", b"{}x"):
        refused(raw)


def test_the_last_of_a_duplicate_key_wins():
    assert parse(line(b'"c9"', "conversation")).conversation == "c9"
    assert parse(line(b'"receipt", "status": "read"', "type")).status == "read"
    assert parse(b'{"type": "clock", "at": "nonsense", "at": %d}' % T0).at == T0
    refused(b'{"type": "clock", "at": %d, "at": "nonsense"}' % T0)


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (rb"\ud800", "\ufffd"),
        (rb"\udc00", "\ufffd"),
        (rb"a\ud83d", "a\ufffd"),
        (rb"\ud83d\ude00", "😀"),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"\ud83d\u0041", "\ufffdA"),
        (rb"\\ud800", r"\ud800"),
        (rb"\\\ud800", "\\\ufffd"),
        (rb"\\\\ud800", r"\\ud800"),
        (rb"\ud83d\\ude00", "\ufffd" + r"\ude00"),
        (rb"\uD83D\uDE00\uD83D", "😀\ufffd"),
    ],
)
def test_lone_surrogates_become_the_replacement_character(escaped, text):
    event = parse(line(b'"' + escaped + b'"', "text"))
    assert event.text == text
    assert parse(line(b'"' + escaped + b'"')).extra == {"odd": text}
    assert parse(line(b'{"' + escaped + b'": "' + escaped + b'"}')).extra == {"odd": {text: text}}


def test_lone_surrogates_in_ids_are_mended_alike():
    assert parse(line(rb'"c\ud800"', "conversation")).conversation == "c\ufffd"


@pytest.mark.parametrize("raw", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8"])
def test_invalid_utf_8_is_refused_wherever_it_stands(raw):
    for bad in (
        line(b'"' + raw + b'"', "text"),
        line(b'"' + raw + b'"'),
        line(b"1", "x").replace(b'"x"', b'"' + raw + b'"'),
    ):
        for keep_extra in (True, False):
            refused(bad, keep_extra=keep_extra)


@pytest.mark.parametrize("raw", [b"\x00", b"\x01", b"\t", b"\x1f", b"\n"])
def test_raw_control_characters_are_refused_wherever_they_stand(raw):
    for bad in (line(b'"a' + raw + b'"', "text"), line(b'"a' + raw + b'"'), line(b'{"a' + raw + b'": 1}')):
        for keep_extra in (True, False):
            refused(bad, keep_extra=keep_extra)
    assert parse(line(b'"' + json.dumps(raw.decode()).encode()[1:-1] + b'"', "text")).text == raw.decode()


def nested(levels, opening=b"[", closing=b"]"):
    """An event nested so many levels deep, itself included."""
    return line(opening * (levels - 1) + b"1" * (opening[-1:] == b":") + closing * (levels - 1))


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_64_levels_are_accepted_and_65_refused(opening, closing):
    parse(nested(DEEPEST, opening, closing))
    for levels in (DEEPEST + 1, 10_000, 100_000):
        assert "64" in refused(nested(levels, opening, closing))


def test_many_brackets_side_by_side_or_in_texts_are_not_deep():
    parse(line(b"[" + b"[]," * 500 + b"{}]"))
    parse(line(json.dumps('[{"' * 500 + "\\").encode(), "text"))


def test_a_text_of_256_kib_is_accepted_and_a_longer_one_refused():
    for letter in ("a", "é", "我", "😀"):
        most = LONGEST_TEXT // len(letter.encode())
        raw = json.dumps(PLAIN | {"text": letter * most}, ensure_ascii=False).encode()
        assert len(parse(raw).text) == most
        refused(json.dumps(PLAIN | {"text": letter * (most + 1)}, ensure_ascii=False).encode())


def test_a_longer_text_is_refused_in_an_edit_too():
    edit = {"type": "edit", "platform": "p", "account": "a", "at": T0, "conversation": "c", "message": "m"}
    parse(edit | {"text": "a" * LONGEST_TEXT})
    refused(edit | {"text": "a" * (LONGEST_TEXT + 1)})


def test_a_line_of_one_mib_is_accepted_and_a_longer_one_refused():
    room = LONGEST_LINE - len(line(b'""'))
    assert len(line(b'"' + b"x" * room + b'"')) == LONGEST_LINE
    parse(line(b'"' + b"x" * room + b'"'))
    refused(line(b'"' + b"x" * (room + 1) + b'"'))


def test_the_reason_never_repeats_what_a_customer_wrote():
    secret = "my card is 4111 1111 1111 1111"
    for name in ("seq", "direction", "at", "attachments", "history"):
        assert "4111" not in refused(PLAIN | {name: secret})


def test_a_refused_event_still_names_its_channel_where_it_can():
    assert channel_hint(json.dumps(PLAIN | {"seq": -1}).encode()) == ("shopee", "sg-1")
    for raw in (b"nonsense", b"[]", b'{"platform": 5, "account": "x"}', b'{"platform": "x"}', b"\xff", b"[" * 9000):
        assert channel_hint(raw) == (None, None)


def test_a_batch_is_an_array_or_lines_or_one_object():
    one = json.dumps(PLAIN).encode()
    assert list(split_batch(b"[" + one + b", " + one + b"]")) == [(0, one), (1, one)]
    assert list(split_batch(one + b"\n\n" + one + b"\r\n")) == [(0, one), (1, one)]
    assert list(split_batch(b"\xef\xbb\xbf" + one)) == [(0, one)]
    pretty = json.dumps(PLAIN, indent=2).encode()
    assert [parse(raw) for _, raw in split_batch(pretty)] == [parse(PLAIN)]
    assert list(split_batch(b"[]")) == []
    assert list(split_batch(b" \n ")) == []


def test_one_bad_element_or_line_spoils_no_other():
    one = json.dumps(PLAIN).encode()
    assert [index for index, _ in split_batch(b"[" + one + b", 5, " + one + b"]")] == [0, 1, 2]
    assert [raw for _, raw in split_batch(one + b"\nbroken\n" + one)] == [one, b"broken", one]
    with pytest.raises(RejectedError):
        list(split_batch(b"[" + one + b","))


def suite(public_data):
    path = public_data / "bad_input" / "json_parsing.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    for row in map(json.loads, path.read_text("utf-8").strip().split("\n")):
        if "b64" in row:
            yield row["file"], row["expect"], base64.b64decode(row["b64"])
        else:
            again = row["repeat"]
            yield row["file"], row["expect"], (again["unit"] * again["count"] + again.get("suffix", "")).encode()


def verdict(raw, **options):
    try:
        event = parse(raw, **options)
    except RejectedError as refusal:
        return "reject" if str(refusal) else "refused without a reason"
    msgspec.msgpack.encode(event)
    return "accept"


def test_the_json_test_suite_as_the_value_of_an_unknown_field(public_data):
    ours = [
        (name, expect, verdict(line(raw), keep_extra=keep_extra))
        for name, expect, raw in suite(public_data)
        for keep_extra in (True, False)
    ]
    assert len(ours) > 200
    wrong = [row for row in ours if row[1] in ("accept", "reject") and row[1] != row[2]]
    assert wrong == []


def test_the_json_test_suite_as_whole_events_is_refused_with_a_reason(public_data):
    assert {
        verdict(raw, keep_extra=keep_extra) for _, _, raw in suite(public_data) for keep_extra in (True, False)
    } == {"reject"}


def test_the_json_test_suite_as_whole_lines_of_known_fields(public_data):
    for _, expect, raw in suite(public_data):
        if expect != "reject" and raw.strip()[:1] == b"[":
            verdict(line(raw, "detail").replace(b'"message"', b'"translation"', 1))
            verdict(line(raw, "attachments"))


def test_hostile_texts_survive_unchanged(public_data):
    path = public_data / "bad_input" / "strings.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    texts = [json.loads(row)["payload"] for row in path.read_text("utf-8").strip().split("\n")]
    assert len(texts) > 500
    for text in texts:
        for ensure_ascii in (True, False):
            event = parse(json.dumps(PLAIN | {"text": text, "odd": text}, ensure_ascii=ensure_ascii).encode())
            assert (event.text, event.extra) == (text, {"odd": text})
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=type(event)) == event
