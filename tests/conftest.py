"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # a bare `pytest` does not put the work tree there
    sys.path.insert(0, str(ROOT))

from tests.services import cache, chromium, dovecot, ferretdb, netns, redis, smtp  # noqa: E402 # needs the line above
from tests.services import kafka as kafka_service  # noqa: E402 # the same

SERVICES = pytest.StashKey[list]()


@pytest.fixture
def data_dir(tmp_path):
    """An empty directory of its own for one product under test."""
    path = tmp_path / "weir"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def chromium_path():
    """Headless Chromium; without it the test is skipped, in continuous integration it fails."""
    found = chromium.find()
    if found is None:
        if cache.required():
            pytest.fail(chromium.missing())
        pytest.skip(chromium.missing())
    return found


@pytest.fixture(scope="session")
def public_data():
    """The folder of public data beside the work tree; tests that read it are skipped where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no public data at {path}")
    return path


def pytest_configure(config):
    config.stash[SERVICES] = []


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Tests on real services come last: meanwhile those are fetched or compiled; the slowest are the very last."""
    items.sort(key=lambda item: (item.get_closest_marker("chaos") is not None, _wants_services(item)))


def _wants_services(item) -> bool:
    return item.get_closest_marker("services") is not None


@pytest.fixture(autouse=True)
def _services_restored(request):
    """Servers that an earlier test killed or froze run again."""
    for name, server in request.config.stash[SERVICES]:
        if name in request.fixturenames:
            server.ensure()


@pytest.fixture(scope="session")
def start_service(request):
    """Starts a service for the rest of the session; without it the test is skipped, in continuous integration fails."""
    with ExitStack() as stack:

        def start(name, service):
            try:
                server = stack.enter_context(service)
            except cache.UnavailableError as wrong:
                reason = f"NO {name.upper()}: {wrong}"
                if cache.required():
                    pytest.fail(reason)
                pytest.skip(reason)
            request.config.stash[SERVICES].append((name, server))
            return server

        yield start


@pytest.fixture(scope="session")
def kafka(start_service):
    """One Kafka broker: `.url`, `.bootstrap`, `.kill()`, `.start()`, `.pause()`, `.resume()`."""
    return start_service("kafka", kafka_service.running())


@pytest.fixture(scope="session")
def kafka_cluster(start_service):
    """Three Kafka brokers that replicate everything; `.kill(2)` and so on."""
    return start_service("kafka_cluster", kafka_service.running(brokers=3))


@pytest.fixture(scope="session")
def redis_server(start_service):
    """One Redis: `.url`, `.kill()`, `.start()`, `.pause()`, `.resume()`."""
    return start_service("redis_server", redis.running())


@pytest.fixture(scope="session")
def mongo(start_service):
    """One database with MongoDB's protocol: `.url`, `.fresh()`, `.kill()`, `.start()`, `.pause()`, `.resume()`."""
    return start_service("mongo", ferretdb.running())


@pytest.fixture(scope="session")
def imap_server(start_service):
    """One Dovecot, every address has a mailbox there: `.host`, `.port`, `.tls_port`, `.certificate`, `.renumber()`."""
    return start_service("imap_server", dovecot.running())


@pytest.fixture(scope="session")
def smtp_server(start_service, imap_server):
    """One Exim that delivers to those mailboxes: `.host`, `.port`, `.tls_port`, `.certificate`, `.mailbox()`."""
    return start_service("smtp_server", smtp.running(imap_server.mails))


@pytest.fixture(scope="session")
def namespaces():
    """Says whether network namespaces can be had; skips where not, in continuous integration too: proxies do there."""
    try:
        netns.prepare()
    except cache.UnavailableError as wrong:
        pytest.skip(f"NO NETWORK NAMESPACES, partitions are tested through proxies only: {wrong}")


@pytest.fixture
def network(namespaces):  # noqa: ARG001 # asks whether there are any
    """A network of hosts whose cables can be pulled: `.host()`, then `.command()`, `.cut()`, `.heal()`."""
    with netns.network() as made:
        yield made
