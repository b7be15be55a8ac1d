"""Dovecot for the tests, from the system's packages: any address has a mailbox of its own, with one password."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import mail, ports
from tests.services.server import Server, ask, own_folder

SETTINGS = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0 secs
mail_location = maildir:{mails}/%u
mail_uid = {owner}
mail_gid = {owner}
first_valid_gid = 1
first_valid_uid = 1
maildir_very_dirty_syncs = no
imap_idle_notify_interval = 2 mins
mailbox_idle_check_interval = 1 secs
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={mails}/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
}}
"""


class Dovecot(Server):
    """One Dovecot: `.host`, `.port` (plain and STARTTLS), `.tls_port`, `.certificate`; mails are files in `.mails`."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.host = mail.HOST
        self.port, self.tls_port = ports.free(2)
        self.password = mail.PASSWORD
        self.mails = folder / "mails"
        mail.hand_over(self.mails)
        self.certificate, key = mail.certificate(folder)
        file = folder / "dovecot.conf"
        file.write_text(
            SETTINGS.format(
                folder=folder,
                certificate=self.certificate,
                key=key,
                mails=self.mails,
                owner=mail.OWNER,
                password=mail.PASSWORD,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        super().__init__("dovecot", [program, "-F", "-c", file], folder)

    def answers(self) -> bool:
        """Whether it greets."""
        return ask(self.host, self.port, b"").startswith(b"* OK")

    def renumber(self, address: str) -> None:
        """Make the server number a mailbox's inbox anew, as after a restore: its UIDVALIDITY is another one."""
        folder = self.mails / address
        for file in [*folder.glob("dovecot-uidlist*"), *folder.glob("dovecot.index*"), *folder.glob("dovecot.list*")]:
            file.unlink() if file.is_file() else shutil.rmtree(file)


@contextmanager
def running(parent: Path | None = None) -> Iterator[Dovecot]:
    """One Dovecot for the length of the block."""
    program = mail.program("dovecot", "dovecot-imapd")
    mail.program("exim4", "exim4-daemon-light")  # its package makes the user whose the mailboxes are
    with own_folder("dovecot", parent) as folder:
        dovecot = Dovecot(program, folder)
        try:
            dovecot.start()
            yield dovecot
        finally:
            dovecot.stop()
