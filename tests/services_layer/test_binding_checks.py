"""What is pasted into a channel's settings is kept as the platform or server needs it, or refused with what to do."""

from __future__ import annotations

import pytest

from actors.errors import RejectedError
from connectors.email.connector import Email
from services.channels.binding_checks import checked_settings

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_certificate_is_kept_without_the_line_break_at_its_end(end):
    assert checked_settings(Email, {"certificate": PEM + end}) == {"certificate": PEM}


@pytest.mark.parametrize("value", [" secret", "secret ", "secret\n", "\tsecret"])
def test_a_secret_with_space_around_it_is_refused(value):
    with pytest.raises(RejectedError, match="space or a line break"):
        checked_settings(Email, {"password": value})


@pytest.mark.parametrize(("settings", "said"), [({"password": ""}, "empty"), ({"pasword": "x"}, "knows no 'pasword'")])
def test_what_is_empty_or_unknown_is_refused_by_its_name(settings, said):
    with pytest.raises(RejectedError, match=said):
        checked_settings(Email, settings)
