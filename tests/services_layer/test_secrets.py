"""What is sealed opens with its key, for its channel, and for nobody else."""

import base64
import multiprocessing
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import ConfigurationError
from services.channels.secrets import NONCE_BYTES, Sealed, SecretsError, Vault

KEY, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
VALUES = {"app_secret": "hush-hush", "地": "密钥 " * 50}
SHOP = {"platform": "shopee", "account": "shop"}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=5))
def test_what_was_sealed_comes_back(values):
    values = {
        name.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
        for name, value in values.items()
    }
    vault = Vault(present=KEY)
    assert vault.open(vault.seal(values, **SHOP), **SHOP) == values


def test_sealing_twice_gives_nothing_in_common():
    vault = Vault(present=KEY)
    first, second = vault.seal(VALUES, **SHOP), vault.seal(VALUES, **SHOP)
    assert first.data[:NONCE_BYTES] != second.data[:NONCE_BYTES]
    assert first.data[NONCE_BYTES:] != second.data[NONCE_BYTES:]
    assert b"hush" not in first.data


@pytest.mark.parametrize(
    ("sealed_for", "opened_for"),
    [
        (("shopee", "shop"), ("shopee", "shop2")),
        (("shopee", "shop"), ("lazada", "shop")),
        (("shopee", "a/b"), ("shopee/a", "b")),
        (("shopee", "a%2Fb"), ("shopee", "a/b")),
        (("shop", "eeshop"), ("shopee", "shop")),
    ],
)
def test_what_is_sealed_for_one_channel_opens_for_no_other(sealed_for, opened_for):
    vault = Vault(present=KEY)
    sealed = vault.seal(VALUES, platform=sealed_for[0], account=sealed_for[1])
    with pytest.raises(SecretsError, match="another channel"):
        vault.open(sealed, platform=opened_for[0], account=opened_for[1])


def test_a_changed_or_cut_value_never_opens():
    vault = Vault(present=KEY)
    sealed = vault.seal(VALUES, **SHOP)
    damaged = [sealed.data[:n] for n in (0, 5, 12, 20, len(sealed.data) - 1)] + [sealed.data + b"\0"]
    damaged += [sealed.data[:n] + bytes([sealed.data[n] ^ 1]) + sealed.data[n + 1 :] for n in range(len(sealed.data))]
    for data in damaged:
        with pytest.raises(SecretsError) as told:
            vault.open(Sealed(data, sealed.key), **SHOP)
        assert "hush" not in str(told.value)


def test_an_unknown_key_is_named_and_an_older_one_still_reads():
    sealed = Vault(present=OTHER).seal(VALUES, **SHOP)
    with pytest.raises(SecretsError, match=rf"shopee/shop.*{sealed.key}.*WEIR_SECRET_KEY_OLD"):
        Vault(present=KEY).open(sealed, **SHOP)
    vault = Vault(present=KEY, older=f" {KEY}  {OTHER} ")
    assert vault.open(sealed, **SHOP) == VALUES
    assert vault.seal(VALUES, **SHOP).key != sealed.key


@pytest.mark.parametrize("text", ["short", KEY[:-4], KEY + "AAAA", "ä" * 44, KEY.replace("=", "!")])
def test_a_malformed_key_names_its_setting_and_is_never_shown(text):
    for settings, name in (({"present": text}, "WEIR_SECRET_KEY"), ({"older": text}, "WEIR_SECRET_KEY_OLD")):
        with pytest.raises(ConfigurationError, match=rf"\({name}\).*32 bytes") as told:
            Vault(**settings)
        assert text not in str(told.value)


def test_the_key_file_is_made_when_it_is_needed_for_its_owner_alone(tmp_path):
    file = tmp_path / "data" / "secrets.key"
    vault = Vault(file=file)
    assert not file.exists()
    sealed = vault.seal(VALUES, **SHOP)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["secrets.key"]
    assert Vault(file=file).open(sealed, **SHOP) == VALUES
    assert Vault(file=file).seal(VALUES, **SHOP).key == sealed.key


def test_a_key_that_another_process_made_since_is_found(tmp_path):
    file = tmp_path / "secrets.key"
    reader = Vault(file=file)
    writer = Vault(file=file)
    assert reader.open(writer.seal(VALUES, **SHOP), **SHOP) == VALUES
    new = writer.renew()
    sealed = writer.seal(VALUES, **SHOP)
    assert sealed.key == new
    assert reader.open(sealed, **SHOP) == VALUES
    assert reader.seal(VALUES, **SHOP).key == new


def test_a_new_key_keeps_the_older_ones_for_reading(tmp_path):
    vault = Vault(file=tmp_path / "secrets.key")
    sealed = vault.seal(VALUES, **SHOP)
    vault.renew()
    assert Vault(file=tmp_path / "secrets.key").open(sealed, **SHOP) == VALUES
    assert len((tmp_path / "secrets.key").read_text().splitlines()) == 2
    assert stat.S_IMODE((tmp_path / "secrets.key").stat().st_mode) == 0o600


def _seal(file, gate, results):
    vault = Vault(file=file)
    gate.wait()
    results.put(vault.seal(VALUES, **SHOP).key)


def test_processes_that_need_a_key_at_once_agree_on_one(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    gate, results = spawn.Barrier(4), spawn.Queue()
    processes = [spawn.Process(target=_seal, args=(tmp_path / "secrets.key", gate, results)) for _ in range(4)]
    for process in processes:
        process.start()
    keys = {results.get(timeout=120) for _ in processes}
    for process in processes:
        process.join()
    assert len(keys) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_key_file_that_others_can_read_is_refused_with_what_to_do(tmp_path, mode):
    file = tmp_path / "secrets.key"
    sealed = Vault(file=file).seal(VALUES, **SHOP)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Vault(file=file)
    file.chmod(0o600)
    assert Vault(file=file).open(sealed, **SHOP) == VALUES


@pytest.mark.parametrize(("content", "told"), [("", "empty"), ("\n\n", "empty"), ("hush-hush\n", "32 bytes")])
def test_a_broken_key_file_is_named_and_never_replaced(tmp_path, content, told):
    file = tmp_path / "secrets.key"
    file.touch(0o600)
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=told) as error:
        Vault(file=file)
    assert "secrets.key" in str(error.value)
    assert "hush" not in str(error.value)
    assert file.read_text() == content


def test_without_a_key_and_where_no_file_is_made_sealing_says_what_to_set(tmp_path):
    with pytest.raises(ConfigurationError, match="WEIR_SECRET_KEY"):
        Vault(file=tmp_path / "secrets.key", make=False).seal(VALUES, **SHOP)
    assert list(tmp_path.iterdir()) == []


def test_the_file_still_reads_when_the_key_is_given_by_the_setting(tmp_path):
    file = tmp_path / "secrets.key"
    sealed = Vault(file=file).seal(VALUES, **SHOP)
    vault = Vault(present=KEY, file=file)
    assert vault.open(sealed, **SHOP) == VALUES
    assert vault.seal(VALUES, **SHOP).key != sealed.key
    with pytest.raises(ConfigurationError, match="secret_key"):
        vault.renew()


def test_no_key_is_shown_by_what_holds_it(tmp_path):
    vault = Vault(present=KEY, older=OTHER, file=tmp_path / "secrets.key")
    for shown in (repr(vault), str(vault), repr(list(vault._keys())), f"{vault._present!r}"):
        assert KEY not in shown
        assert "\\x01" not in shown
