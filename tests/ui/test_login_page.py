"""The login page: plain HTML, in the visitor's language, whatever stands in the address line."""

import httpx
import pytest
from fastapi import FastAPI

from ui.login import safe_target, serve_login

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
async def client():
    api = FastAPI()
    serve_login(api)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://weir.test") as client:
        yield client


async def test_it_is_a_form_that_needs_no_script(client):
    page = (await client.get("/login?next=/anomalies%3Fkind=loss")).text
    assert 'action="/auth/login"' in page
    assert 'name="next" value="/anomalies?kind=loss"' in page
    assert "_nicegui" not in page


async def test_a_chosen_language_is_remembered(client):
    answer = await client.get("/login?lang=zh")
    assert "密码" in answer.text
    assert "weir_lang=zh" in answer.headers["set-cookie"]


async def test_nothing_from_the_address_line_becomes_markup(client):
    answer = await client.get("/login", params={"next": "/" + HOSTILE, "error": HOSTILE, "lang": HOSTILE})
    assert "<script>alert" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_failed_login_is_told_in_words(client):
    assert "Name or password is wrong" in (await client.get("/login?error=credentials")).text


async def test_it_is_never_kept_by_a_cache(client):
    assert (await client.get("/login")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""]
)
def test_it_leads_to_no_other_site(target):
    assert safe_target(target) == "/"
