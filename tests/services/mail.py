"""What the mail servers of the tests share: their packages, a certificate, and who owns the mailboxes."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import shutil
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services import apt, cache

HOST = "127.0.0.1"
PASSWORD = "correct-horse-battery"
OWNER = "Debian-exim"
"""Whose the mailboxes are: the one user as whom the mail server delivers when its settings are not the system's."""


def program(name: str, package: str) -> Path:
    """Where a server is, its package installed when missing; raises cache.UnavailableError."""
    with cache.locked(package):
        found = shutil.which(name, path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")
        if found is None:
            apt.install([package])
            found = shutil.which(name, path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise cache.UnavailableError(f"{package} is installed and has no {name}")
    if os.geteuid() != 0:
        raise cache.UnavailableError(f"{name} gives mailboxes their owner, which only root may")
    return Path(found)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's own that nobody vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


def hand_over(folder: Path) -> None:
    """Make a folder the owner's."""
    owner = pwd.getpwnam(OWNER)
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    for above in folder.parents[:2]:
        above.chmod(0o755)
