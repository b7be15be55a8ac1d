"""Exim for the tests, from the system's packages: takes mail from whoever signs in, puts it into Dovecot's mailboxes.

To `nobody@` it refuses at once and for good, to `later@` for now; `gone@` it takes and then reports as undeliverable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import mail, ports
from tests.services.server import Server, ask, own_folder

MOST_BYTES = 2 * 2**20
SETTINGS = """
primary_hostname = mail.example
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
deliver_drop_privilege = true
local_interfaces = 127.0.0.1
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/exim.pid
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
auth_advertise_hosts = *
message_size_limit = {most}
host_lookup =
rfc1413_hosts =
rfc1413_query_timeout = 0s
queue_run_in_order = true
domainlist local_domains = *
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept
keep_environment =
begin acl
check_mail:
  accept authenticated = *
  deny message = sign in first
check_rcpt:
  deny local_parts = nobody
       message = 5.1.1 no such mailbox
  defer local_parts = later
       message = 4.2.1 come back later
  accept
begin routers
gone:
  driver = redirect
  local_parts = gone
  allow_fail
  data = :fail: no such person here
boxes:
  driver = accept
  transport = boxes
begin transports
boxes:
  driver = appendfile
  maildir_format
  directory = ${{lookup{{$local_part@$domain}}lsearch,ret=key{{{users}}}{{{mails}/$value}}fail}}
  create_directory
  return_path_add
  delivery_date_add
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if eq{{$auth3}}{{{password}}}}}
  server_set_id = $auth2
"""


class Smtp(Server):
    """One Exim: `.host`, `.port` (plain and STARTTLS), `.tls_port`, `.certificate`; `.mailbox()` before mail comes."""

    def __init__(self, program: Path, folder: Path, mails: Path) -> None:
        self.host = mail.HOST
        self.port, self.tls_port = ports.free(2)
        self.password = mail.PASSWORD
        self.certificate, key = mail.certificate(folder)
        key.chmod(0o644)
        folder.chmod(0o755)
        (folder / "spool").mkdir()
        (folder / "spool").chmod(0o777)
        folder.chmod(0o777)
        self._users = folder / "users"
        self._users.touch()
        file = folder / "exim.conf"
        file.write_text(
            SETTINGS.format(
                folder=folder,
                certificate=self.certificate,
                key=key,
                mails=mails,
                users=self._users,
                password=mail.PASSWORD,
                most=MOST_BYTES,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        super().__init__("smtp", [program, "-bdf", "-C", file], folder)

    def answers(self) -> bool:
        """Whether it greets."""
        return ask(self.host, self.port, b"").startswith(b"220")

    def mailbox(self, address: str) -> None:
        """From now on mail to this address is delivered."""
        with self._users.open("a") as users:
            users.write(f"{address}\n")


@contextmanager
def running(mails: Path, parent: Path | None = None) -> Iterator[Smtp]:
    """One Exim for the length of the block, which delivers to the mailboxes under `mails`."""
    program = mail.program("exim4", "exim4-daemon-light")
    with own_folder("smtp", parent) as folder:
        exim = Smtp(program, folder, mails)
        try:
            exim.start()
            yield exim
        finally:
            exim.stop()
