"""One deployment for all acceptance tests, a shop of its own for each."""

from contextlib import ExitStack, closing

import pytest

from tests.acceptance import mailroom as mails
from tests.acceptance import office as offices
from tests.acceptance.deployment import running_deployment, until
from tests.connectors.mailing import Box

HANGS = "tiktok"


@pytest.fixture(scope="session")
def opened(tmp_path_factory):
    """The deployment and the shop whose platform did not answer the very first requests."""
    with running_deployment(tmp_path_factory.mktemp("acceptance")) as deployment:
        yield deployment, deployment.open(hang=HANGS)


@pytest.fixture
def deployment(opened):
    return opened[0]


@pytest.fixture
def shop_of(deployment):
    """Gives shops that nobody else has. At the end of a test everything accepted of each is accounted for."""
    taken = []

    def take(platform):
        taken.append(deployment.take(platform))
        return taken[-1]

    yield take
    for shop in taken:
        shop.heal()
        until(shop.balances, shop.ledger)


@pytest.fixture
async def mailroom(data_dir, imap_server, smtp_server, monkeypatch):
    """A Weir of the test's own, to bind mailboxes to."""
    async with mails.opened(data_dir, imap_server, smtp_server, monkeypatch) as opened:
        yield opened


@pytest.fixture
async def office(data_dir):
    """A Weir of the test's own, with people."""
    async with offices.opened(data_dir) as opened:
        yield opened


@pytest.fixture
def look_into():
    """Opens a mailbox as its owner sees it, by its server and address."""
    with ExitStack() as stack:
        yield lambda server, address: stack.enter_context(closing(Box(server, address)))


@pytest.fixture
def cable(imap_server):
    """What lies between Weir and the server that mail is read from."""
    with closing(mails.Cable(imap_server.host, imap_server.tls_port)) as made:
        yield made
