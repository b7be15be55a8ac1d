"""Secrets of channels, sealed: AES-256-GCM with a fresh nonce each, bound to the channel they belong to.

The key is given by a setting, or lies in a file of the data folder that is made when the first secret is sealed: one
key a line in base64, the one in use first, older ones after it. What is sealed says by its id which key it needs.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import DecodeError, Struct, json

from actors.errors import ConfigurationError
from actors.keys import channel_key

KEY_BYTES = 32
NONCE_BYTES = 12
ID_LETTERS = 8
LONGEST_FILE = 64 * 1024
NO_KEY = "`openssl rand -base64 32` makes a key"
_PURPOSE = b"weir channel secrets\0"


class SecretsError(ConfigurationError):
    """What is sealed cannot be opened here: its key is missing, or it was tampered with. The message says which."""


class Key(Struct, frozen=True):
    """One key; `id` may be shown."""

    secret: bytes
    id: str

    def __repr__(self) -> str:
        """Without the key."""
        return f"Key({self.id})"


class Sealed(Struct, frozen=True):
    """Encrypted values, and the id of the key that opens them."""

    data: bytes
    key: str


class Vault:
    """Seals and opens the secrets of channels.

    Args:
        present: the key to seal with, base64 of 32 bytes; empty: that of the file.
        older: further keys to read with, parted by white space.
        file: the key file; what it holds is read with too when `present` is given.
        make: whether a file that is needed and not there is made.

    Raises:
        ConfigurationError: a key is malformed, or others may read the file; the message never shows a key.

    """

    def __init__(self, *, present: str = "", older: str = "", file: Path | None = None, make: bool = True) -> None:
        self._present = key_of(present, "setting secret_key (WEIR_SECRET_KEY)") if present else None
        self._older = [key_of(text, "setting secret_key_old (WEIR_SECRET_KEY_OLD)") for text in older.split()]
        self._file = file
        self._make = make
        self._filed: list[Key] = self._read()

    def __repr__(self) -> str:
        """The ids of its keys."""
        return f"Vault({', '.join(key.id for key in self._keys())})"

    def seal(self, values: Mapping[str, str], *, platform: str, account: str) -> Sealed:
        """These values, encrypted for this channel with the key in use. Raises ConfigurationError; touches the disk."""
        key, nonce = self._in_use(), secrets.token_bytes(NONCE_BYTES)
        plain = json.encode(dict(values))
        return Sealed(nonce + _cipher(key).encrypt(nonce, plain, _context(platform, account)), key.id)

    def open(self, sealed: Sealed, *, platform: str, account: str) -> dict[str, str]:
        """The values that were sealed for this channel. Raises SecretsError."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 # only who opens secrets pays for its import

        place = f"the secrets of channel {channel_key(platform, account)}"
        key = self._key(sealed.key)
        if key is None:
            raise SecretsError(
                f"{place} are sealed with key {sealed.key}, which is not here: give it by WEIR_SECRET_KEY_OLD or bring"
                f" {self._file or 'the key file'} back from the backup; else bind the channel anew with all its secrets"
            )
        nonce, rest = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
        try:
            return json.decode(_cipher(key).decrypt(nonce, rest, _context(platform, account)), type=dict[str, str])
        except (InvalidTag, ValueError, DecodeError):
            # Nothing of what was decrypted may be told by an error.
            raise SecretsError(
                f"{place} are damaged or were sealed for another channel: bind it anew with all its secrets"
            ) from None

    def renew(self) -> str:
        """Put a new key into use in the key file, the others kept for reading; its id.

        Raises ConfigurationError when the key is given by the setting: there it must be changed.
        """
        if self._present or self._file is None:
            raise ConfigurationError(
                f"the key is given by setting secret_key: change it there, and put the present one into"
                f" WEIR_SECRET_KEY_OLD until everything is sealed anew; {NO_KEY}"
            )
        with _locked(self._file.parent):
            key = _fresh()
            self._filed = _write(self._file, [key, *self._read()])
        return key.id

    def derived(self, purpose: bytes) -> list[bytes]:
        """A key of 32 bytes for another purpose out of each key (HKDF-SHA256, RFC 5869), that in use first.

        None without a key; makes none. Raises ConfigurationError; touches the disk: the file may have a new key.
        """
        self._filed = self._read()
        return [_derived(key, purpose) for key in self._keys()]

    def _in_use(self) -> Key:
        """The key to seal with. The file is read anew: another process may have put another key into use."""
        if self._present:
            return self._present
        self._filed = self._read()
        if not self._filed:
            if self._file is None or not self._make:
                raise ConfigurationError(
                    "there is no key to seal the secrets of channels with: set WEIR_SECRET_KEY to the same value for"
                    f" every process that shares the database; {NO_KEY}"
                )
            with _locked(self._file.parent):
                self._filed = self._read() or _write(self._file, [_fresh()])
        return self._filed[0]

    def _key(self, name: str) -> Key | None:
        """The key of that id; the file is read anew for one that is not known."""
        for attempt in range(2):
            if attempt:
                self._filed = self._read()
            for key in self._keys():
                if key.id == name:
                    return key
        return None

    def _keys(self) -> Iterator[Key]:
        if self._present:
            yield self._present
        yield from self._older
        yield from self._filed

    def _read(self) -> list[Key]:
        """The keys of the file; none without a file."""
        return _read(self._file) if self._file else []


def key_of(text: str, origin: str) -> Key:
    """The key of this base64. Raises ConfigurationError that names the origin and never shows the key."""
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        # Without the cause: its traceback would hold the text.
        raise ConfigurationError(f"{origin} is not the base64 of {KEY_BYTES} bytes; {NO_KEY}") from None
    return Key(secret, hashlib.sha256(secret).hexdigest()[:ID_LETTERS])


def _fresh() -> Key:
    return key_of(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(), "a new key")


def _context(platform: str, account: str) -> bytes:
    """What is authenticated beside the values, so that they open for no other channel."""
    return _PURPOSE + channel_key(platform, account).encode()


def _cipher(key: Key):  # noqa: ANN202 # its type is imported with it
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 # as above

    return AESGCM(key.secret)


def _derived(key: Key, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 # as above
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 # as above

    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(key.secret)


def _read(path: Path) -> list[Key]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(LONGEST_FILE).decode("ascii", "replace")
    except FileNotFoundError:
        return []
    except OSError as wrong:
        raise ConfigurationError(
            f"the key file {path} cannot be read ({wrong.strerror}): give it to the user that runs Weir, mode 600"
        ) from wrong
    if mode & 0o077:
        raise ConfigurationError(
            f"the key file {path} can be read by other users of this machine: run `chmod 600 {path}`; if somebody may"
            " have read it, run `weir channel reseal --new-key` then"
        )
    keys = [key_of(line, f"a line of the key file {path}") for line in text.splitlines() if line.strip()]
    if not keys:
        raise ConfigurationError(
            f"the key file {path} is empty: bring it back from the backup; without one, delete it and bind every"
            " channel anew"
        )
    return keys


def _write(path: Path, keys: Iterable[Key]) -> list[Key]:
    """Replace the file, whole or not at all; the disk holds it when this returns, before anything is sealed with it."""
    found = list(keys)
    lines = "".join(f"{base64.b64encode(key.secret).decode()}\n" for key in found)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as wrong:
        draft.unlink(missing_ok=True)
        raise ConfigurationError(
            f"the key file {path} cannot be written ({wrong.strerror}): mend the rights of its folder or free space"
        ) from wrong
    return found


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Of two processes that make a key at once, the second finds that of the first."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as wrong:
        raise ConfigurationError(
            f"the key file cannot be made in {folder} ({wrong.strerror}): mend its rights or name another folder"
            " with --data-dir"
        ) from wrong
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


__all__ = ["Key", "Sealed", "SecretsError", "Vault", "key_of"]
