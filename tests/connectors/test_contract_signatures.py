"""What proves a request, and what never does."""

from __future__ import annotations

import pytest

from connectors.contract import signatures
from connectors.contract.connector import SignatureError

BLANKS = ["", " ", "\t\r\n", "\u00a0"]


def test_one_of_several_genuine_values_is_enough():
    signatures.require("b", "a", "b", where="Authorization")


@pytest.mark.parametrize("genuine", [(), ("",), ("a", "ab "), (" ",)])
def test_anything_else_does_not_match(genuine):
    with pytest.raises(SignatureError, match="Authorization does not match"):
        signatures.require("ab", *genuine, where="Authorization")


@pytest.mark.parametrize("claimed", [None, *BLANKS])
def test_a_blank_claim_proves_nothing_whatever_it_must_equal(claimed):
    with pytest.raises(SignatureError, match="Authorization is missing"):
        signatures.require(claimed, claimed or "", where="Authorization")


@pytest.mark.parametrize("blank", BLANKS)
def test_nothing_is_signed_with_a_blank_key(blank):
    with pytest.raises(SignatureError, match="empty"):
        signatures.hmac_sha256(blank, b"body")


@pytest.mark.parametrize("settings", [{}, *({"token": blank} for blank in BLANKS)])
def test_a_secret_that_is_missing_or_blank_is_named(settings):
    with pytest.raises(SignatureError, match="`token` is empty"):
        signatures.secret(settings, "token")


def test_a_secret_is_kept_letter_by_letter():
    assert signatures.secret({"token": " s3cret"}, "token") == " s3cret"


TEMU = {
    "type": "bg.order.list.v2.get",
    "app_key": "k",
    "access_token": "t",
    "timestamp": "1700000000",
    "data_type": "JSON",
}
"""What Temu's router would be asked. Nothing asks it: it has no messages (docs/channels.md); how it signs is what
AliExpress's older gateway does."""


def test_the_secret_encloses_what_is_signed_with_md5():
    genuine = "F1CF15E58812BFA832D608EBB36D88AA"
    assert signatures.enclosed_md5("s3cr3t", TEMU) == genuine
    assert signatures.enclosed_md5("s3cr3t", dict(sorted(TEMU.items()))) == genuine, "in whatever order they stand"
    assert signatures.enclosed_md5("s3cr3u", TEMU) != genuine
    assert signatures.enclosed_md5("s3cr3t", TEMU | {"timestamp": "1700000001"}) != genuine


@pytest.mark.parametrize("blank", BLANKS)
def test_nothing_is_enclosed_by_a_blank_secret(blank):
    with pytest.raises(SignatureError, match="empty"):
        signatures.enclosed_md5(blank, TEMU)
