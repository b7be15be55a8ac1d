"""What connectors share when they send: settings that must be there, forms with files, the size of pictures."""

from __future__ import annotations

import email.policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.calling import (
    BusyError,
    RefusedError,
    UncertainError,
    UnreachableError,
    before_sending,
    needed,
    without,
)
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.outgoing import Limits, Outgoing, OutgoingFile
from connectors.contract.pictures import picture_size
from connectors.contract.rules import objections

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x2c\0\0\0\xc8\x08\x06\0\0\0"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xff\xc2\x00\x11\x08\x00\xc8\x01\x2c\x03"


def test_the_first_setting_that_is_missing_is_named():
    assert needed({"a": "1", "b": "2"}, "b", "a") == ["2", "1"]
    with pytest.raises(RefusedError, match="`b` is empty") as refused:
        needed({"a": "1", "b": " "}, "a", "b", "c")
    assert refused.value.code == "setting_missing"


def test_what_a_platform_tells_loses_secrets_and_lines():
    told = without(["tok", "token-1", ""], "Wrong token-1 \x1b[31m\n (tok)" + "x" * 600)
    assert told.startswith("Wrong … [31m (…)")
    assert len(told) == 500


def test_what_fails_before_sending_was_not_sent():
    with pytest.raises(UnreachableError, match="no answer"), before_sending():
        raise UncertainError("no answer")
    with pytest.raises(BusyError), before_sending():
        raise BusyError("later")


def _read(kind, body):
    head = f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n".encode()
    return BytesParser(policy=email.policy.HTTP).parsebytes(head + body)


def test_a_form_with_a_file():
    kind, body = multipart(
        [("chat", "7")], [FilePart(name="file", filename='a"\r\nb.png', mime="image/png", content=b"\x89\r\n--")]
    )
    chat, file = _read(kind, body).iter_parts()
    assert (chat.get_param("name", header="content-disposition"), chat.get_content()) == ("chat", "7")
    assert file.get_content_type() == "image/png"
    assert b'filename="a%22%0D%0Ab.png"' in body
    assert body.count(b"\x89\r\n--") == 1
    assert multipart([("chat", "7")]) == multipart([("chat", "7")])


def test_a_media_type_that_would_end_its_header_is_left_out():
    kind, body = multipart([], [FilePart(name="f", filename="f", mime="a/b\r\nX: y", content=b"")])
    (file,) = _read(kind, body).iter_parts()
    assert file.get_content_type() == "application/octet-stream"


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_the_boundary_stands_in_no_content(contents):
    kind, body = multipart([], [FilePart(name="f", filename="f", mime="a/b", content=one) for one in contents])
    boundary = kind.removeprefix("multipart/form-data; boundary=").encode()
    assert body.count(b"--" + boundary) == len(contents) + 1


def test_the_size_of_a_picture():
    assert picture_size(PNG) == (300, 200)
    assert picture_size(JPEG) == (300, 200)


@pytest.mark.parametrize("content", [b"", b"GIF89a", PNG[:20], JPEG[:28], b"\xff\xd8\xff\xda\x00\x04\0\0\0\0", b"%PDF"])
def test_what_is_no_picture_has_no_size(content):
    assert picture_size(content) is None


@given(st.sampled_from([b"", PNG[:16], b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x04"]), st.binary(max_size=60))
def test_whatever_a_file_holds_its_size_is_positive_or_unknown(head, rest):
    size = picture_size(head + rest)
    assert size is None or min(size) > 0


def test_a_text_and_a_file_that_do_not_go_together_are_objected_to():
    file = OutgoingFile(name="a.png", mime="image/png", size=1, digest="0", read=lambda: None)
    both = Outgoing(id="r1", conversation="c", at=0, text="Look", files=[file])
    assert [one.code for one in objections(both, Limits(together=False), 0)] == ["text_with_files"]
    assert objections(both, Limits(), 0) == []
