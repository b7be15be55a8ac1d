"""E-mail addresses, telephone numbers, countries; what is sealed and how it is found."""

import pytest

from actors.errors import ConfigurationError
from services.channels.secrets import Vault
from services.contacts.contact_data import ContactData, Safe, email_of, emails_in, joined
from services.contacts.countries import COUNTRIES, country_of_language, country_of_phone, offset_minutes, phone_of
from services.contacts.learning import Resealing
from storage.contact_records import Contact, ContactFilter, Told
from tests.services_layer.contacts.conftest import Shop

CONTACT = Contact(id="a", platform="whatsapp", account="shop", identity="u1", created_at=0)


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+66 81 234 5678", None, "+66812345678"),
        ("0066812345678", None, "+66812345678"),
        ("081-234-5678", "TH", "+66812345678"),
        ("081-234-5678", "th", "+66812345678"),
        ("66812345678", "TH", "+66812345678"),
        ("(030) 1234567", "DE", "+49301234567"),
        ("+49 (0) 30", None, None),
        ("415 555 2671", "US", "+14155552671"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("081-234-5678", None, None),
        ("081-234-5678", "XX", None),
        ("12", "TH", None),
        ("+1234567890123456", None, None),
        ("call me", "TH", None),
        ("", "TH", None),
    ],
)
def test_a_telephone_number_is_compared_as_e164(text, country, number):
    assert phone_of(text, country) == number


def test_a_number_tells_its_country_where_no_other_shares_the_code():
    assert country_of_phone("+66812345678") == "TH"
    assert country_of_phone("+14155552671") is None
    assert country_of_phone("+77771234567") == "KZ"
    assert country_of_phone("+79991234567") == "RU"
    assert country_of_phone("+999") is None
    assert (country_of_language("th"), country_of_language("ja-JP"), country_of_language("en")) == ("TH", "JP", None)


def test_every_country_has_a_zone_whose_time_is_known():
    for code, country in COUNTRIES.items():
        assert abs(offset_minutes(country.zone, 1_760_000_000_000)) <= 14 * 60, code
    assert offset_minutes("Asia/Kathmandu", 0) == 330


def test_addresses_are_compared_in_small_letters_and_found_in_texts():
    assert email_of(" Ann.Lee+shop@Example.CO.uk ") == "ann.lee+shop@example.co.uk"
    for wrong in ("ann@", "@example.com", "ann@example", "a b@example.com", "x" * 250 + "@example.com", "", None):
        assert email_of(wrong) is None
    assert emails_in("write to A@example.com, or b@example.org.") == ["a@example.com", "b@example.org"]


def test_what_is_sealed_opens_for_its_contact_alone(data_dir):
    safe = Safe(Vault(file=data_dir / "secret.key"))
    data = ContactData(["a@example.com"], ["+66812345678"], ["told@example.com"])
    sealed = safe.sealed(CONTACT, data)
    assert b"example" not in sealed.data
    held = Contact(**{f: getattr(CONTACT, f) for f in ("id", "platform", "account", "identity", "created_at")},
        told=Told(sealed=sealed.data, key=sealed.key))  # fmt: skip
    assert safe.opened(held) == data
    assert safe.opened(Contact(id="b", platform="whatsapp", account="shop", identity="u2", created_at=0,
        told=held.told)) == ContactData()  # fmt: skip
    assert safe.opened(CONTACT) == ContactData()
    assert "example" not in repr(data)


def test_facts_are_found_after_the_key_was_changed(data_dir):
    vault = Vault(file=data_dir / "secret.key")
    safe = Safe(vault)
    assert safe.facts("email", ["a@example.com"]) == {}
    assert safe.present_facts({"email": []}) == []
    [before] = safe.present_facts({"email": ["a@example.com"]})
    assert "example" not in before
    assert before not in safe.facts("phone", ["a@example.com"])
    vault.renew()
    [after] = safe.present_facts({"email": ["a@example.com"]})
    assert after != before
    assert set(safe.facts("email", ["a@example.com"])) == {before, after}


def test_without_a_key_nothing_is_sealed(data_dir):
    safe = Safe(Vault(file=data_dir / "secret.key", make=False))
    with pytest.raises(ConfigurationError, match="WEIR_SECRET_KEY"):
        safe.sealed(CONTACT, ContactData(["a@example.com"]))


def test_joined_data_is_there_once_and_bounded():
    many = ContactData([f"{n}@example.com" for n in range(30)], [], ["0@example.com", "x@example.com"])
    found = joined(many, many)
    assert (len(found.emails), found.told) == (10, ["x@example.com"])


async def test_after_a_change_of_key_everything_is_sealed_anew(shop, vault):
    await shop.ordered(1, phone="0812345678")
    key = await shop.wrote("email", "arun@example.com")
    before = await shop.context(key)
    new = vault.renew()
    assert (await shop.context(key))["phones"] == before["phones"]
    assert (await shop.contacts.learning.reseal()).left == 0
    [held] = (await shop.store.contacts(ContactFilter(), 5)).items
    assert held.told.key == new
    assert set(held.told.facts) <= {
        *shop.safe.present_facts({"email": ["arun@example.com"]}),
        *shop.safe.present_facts({"phone": ["+66812345678"]}),
    }
    assert shop.safe.opened(held).phones == ["+66812345678"]
    assert await shop.contacts.learning.reseal() == Resealing(0, 0)


async def test_what_no_key_opens_is_left_as_it_is_and_counted(store, clock, data_dir, shop):
    await shop.context(await shop.wrote("email", "arun@example.com"))
    [before] = (await store.contacts(ContactFilter(), 5)).items
    other = Shop(store, Vault(file=data_dir / "other.key"), clock)
    assert await other.contacts.learning.reseal() == Resealing(0, 1)
    assert (await store.contacts(ContactFilter(), 5)).items == [before]
