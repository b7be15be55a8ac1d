"""The frame around the pages, without a browser: who may open what, and what a handler allows."""

import importlib.util
from pathlib import Path

import httpx
import pytest
from nicegui.testing import User
from nicegui.testing.general import nicegui_reset_globals

from services.errors import ForbiddenError
from ui import pages
from ui.components import Rail
from ui.pages import PAGES, Page
from ui.visit import Visit

SERVE = Path(__file__).parent / "serve.py"


@pytest.fixture
async def serve():
    """The module that serves the screens for tests, loaded anew: NiceGUI keeps its state in globals."""
    with nicegui_reset_globals():
        spec = importlib.util.spec_from_file_location("serve_screens", SERVE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
async def enter(serve):
    """`enter(role)` is a visitor with that role."""
    api = serve.build()
    async with api.router.lifespan_context(api):
        clients = []

        def entered(role):
            transport = httpx.ASGITransport(api)
            client = httpx.AsyncClient(transport=transport, base_url="http://weir.test", cookies={"test_role": role})
            clients.append(client)
            return User(client)

        yield entered
        for client in clients:
            await client.aclose()


async def test_the_rail_holds_what_the_role_may_open(enter):
    for role in ("admin", "viewer"):
        user = enter(role)
        await user.open("/")
        with user:
            rail = user.find(Rail).elements.pop()
        shown = {item["path"] for item in rail.props["items"]}
        assert "/" in shown
    assert shown <= {
        page.path for page in PAGES if page.permission in (None, "view_health", "view_messages", "view_thresholds")
    }


async def test_a_page_the_role_may_not_open_does_not_exist(enter):
    closed = next(page for page in PAGES if page.permission == "manage_users")
    admin, viewer = enter("admin"), enter("viewer")
    refused = await viewer.http_client.get(closed.path)
    assert refused.status_code == 404
    assert "There is nothing here" in refused.text
    assert (await admin.http_client.get(closed.path)).status_code == 200


async def test_a_choice_of_theme_is_kept_and_nonsense_is_not(enter):
    user = enter("agent")
    await user.open("/")
    user.find(Rail).trigger("prefer", {"theme": "dark", "lang": "klingon"})
    await user.open("/anomalies")
    with user:
        assert user.client.page.dark is True
        assert user.client.page.language == "en-US"


def test_every_page_module_is_in_the_list():
    folder = Path(pages.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "page"}
    assert {page.build.__module__.rsplit(".", 1)[-1] for page in PAGES} == modules


def test_no_two_pages_share_an_address():
    paths = [page.path for page in PAGES]
    assert len(set(paths)) == len(paths)


def test_a_page_is_a_record():
    assert all(isinstance(page, Page) and page.path.startswith("/") for page in PAGES)


class TestAHandlerAsksAgain:
    @pytest.fixture
    def people(self, serve):
        return serve.People()

    def visit_of(self, serve, people, role):
        caller = serve.Caller(name=people.all[role].name, role=role, via="session", credential=role)
        services = serve.SimpleNamespace(store=people)
        return Visit(caller=caller, services=services, rooms=None, language="en", t=str, client="page")

    async def test_who_may_act_is_named_for_the_audit_log(self, serve, people):
        caller = await self.visit_of(serve, people, "admin").demand("manage_users")
        assert caller.name == "Admin Lin"

    async def test_a_role_taken_away_counts_at_once(self, serve, people):
        visit = self.visit_of(serve, people, "admin")
        people.all["admin"] = serve.User(id="admin", name="Admin Lin", role="viewer", password_hash="", created_at=0)
        with pytest.raises(ForbiddenError):
            await visit.demand("manage_users")

    async def test_an_ended_session_may_nothing(self, serve, people):
        people.ended.add("admin")
        with pytest.raises(ForbiddenError):
            await self.visit_of(serve, people, "admin").demand("view_health")
