"""One deployment for all acceptance tests, a shop of its own for each."""

import pytest

from tests.acceptance.deployment import running_deployment, until

HANGS = "tiktok"


@pytest.fixture(scope="session")
def opened(tmp_path_factory):
    """The deployment and the shop whose platform did not answer the very first request."""
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
