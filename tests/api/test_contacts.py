"""Customers over the API: context, merging and taking back, lists, timelines; who may."""

import pytest

from actors.keys import url_key
from actors.orders import Order
from services.channels.secrets import Vault
from services.contacts.contact_data import Safe
from services.contacts.context import Contacts
from tests.storage.flushes import NOW, Flushes, customer, stored

pytestmark = pytest.mark.usefixtures("said")
MAIL, LINE = "email/shop/c1", "line/shop/c2"


@pytest.fixture
async def said(services, data_dir):
    """Two customers: one by mail who bought something, one who asks about that order."""
    services.contacts = Contacts(services.store, Safe(Vault(file=data_dir / "secret.key")), services.gateway.now)
    save = Flushes(services.store)
    mail = {"platform": "email", "sender": customer("Arun Linh", "arun@example.com")}
    line = {"platform": "line", "sender": customer("arun_l", "U1"), "at": NOW + 1, "order": "1001"}
    await save(stored("m1", "c1", text="my parcel 1Z37EJ8B0322420403?", **mail), stored("m2", "c2", text="hi", **line))
    order = {"platform": "shopify", "account": "web", "id": "1", "number": "#1001", "created_at": NOW}
    await services.store.put_orders(
        [Order(**order, updated_at=NOW, email="arun@example.com", total="5", currency="EUR")]
    )


async def context(client, key):
    answer = await client.get(f"/api/v1/conversations/{key}/context")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_context_of_a_conversation_by_either_form_of_its_key(admin):
    told = await context(admin, MAIL)
    assert told == await context(admin, url_key(MAIL)) | {"at": told["at"]}
    assert told["contact"]["name"] == "Arun Linh"
    assert [one["number"] for one in told["orders"]] == ["#1001"]
    assert told["tracking"][0]["number"] == "1Z37EJ8B0322420403"
    assert [row["key"] for row in told["history"]["items"]] == [MAIL]


async def test_a_suggestion_is_confirmed_and_taken_back(admin):
    other = (await context(admin, LINE))["contact"]["id"]
    told = await context(admin, MAIL)
    mine = told["contact"]["id"]
    assert [one["contact"]["id"] for one in told["suggestions"]] == [other]
    merged = await admin.post(f"/api/v1/contacts/{mine}/merge", json={"contact": other})
    assert merged.status_code == 200
    assert {one["contact"] for one in merged.json()["identities"]} == {mine, other}
    assert (await context(admin, LINE))["contact"]["id"] == merged.json()["contact"]["id"]
    page = (await admin.get(f"/api/v1/contacts/{other}/timeline", params={"limit": 1})).json()
    assert [(row["platform"], row["message"], row["links"]) for row in page["items"]] == [("line", "m2", [])]
    page = (await admin.get(f"/api/v1/contacts/{mine}/timeline", params={"cursor": page["next"]})).json()
    assert [(row["message"], row["links"][0]["carriers"]) for row in page["items"]] == [("m1", ["UPS"])]
    removable = next(one["contact"] for one in merged.json()["identities"] if one["removable"])
    apart = await admin.post(f"/api/v1/contacts/{mine}/unmerge", json={"contact": removable})
    assert apart.status_code == 200
    assert len(apart.json()["rest"]["identities"]) == len(apart.json()["apart"]["identities"]) == 1
    assert (await admin.post(f"/api/v1/contacts/{removable}/unmerge", json={"contact": removable})).status_code == 409
    told = (await context(admin, MAIL))["suggestions"]
    assert [one["contact"]["id"] for one in told] == [other]
    dismissed = await admin.post(f"/api/v1/contacts/{mine}/suggestions/dismiss", json={"contact": other})
    assert dismissed.status_code == 200
    assert (await context(admin, MAIL))["suggestions"] == (await context(admin, LINE))["suggestions"] == []
    rows = (await admin.get("/api/v1/audit", params={"what": "contact."})).json()["items"]
    assert [row["what"] for row in rows] == ["contact.not_one", "contact.unmerged", "contact.merged"]


async def test_what_is_said_of_a_customer_is_kept_and_found(admin):
    mine = (await context(admin, MAIL))["contact"]["id"]
    body = {"tags": ["VIP"], "name": "Mr Linh", "note": "likes tea", "zone": "Asia/Bangkok", "version": 0}
    answer = await admin.put(f"/api/v1/contacts/{mine}", json=body)
    assert answer.status_code == 200
    assert (answer.json()["tags"], answer.json()["contact"]["name"]) == (["VIP"], "Mr Linh")
    assert answer.json()["local_time"]["zone"] == "Asia/Bangkok"
    assert (await admin.put(f"/api/v1/contacts/{mine}", json={"note": "x", "version": 0})).status_code == 409
    for params in (
        {"tag": "VIP"},
        {"q": "linh"},
        {"q": "arun@example.com"},
        {"spent_from": 5, "currency": "EUR"},
        {"platform": "email", "account": "shop"},
    ):
        found = (await admin.get("/api/v1/contacts", params=params)).json()["items"]
        assert [row["id"] for row in found] == [mine], params
    assert (await admin.get("/api/v1/contacts", params={"spent_from": 6})).json() == {"items": [], "next": None}
    history = (await admin.get(f"/api/v1/contacts/{mine}/history")).json()
    assert [row["key"] for row in history["items"]] == [MAIL]
    assert (await admin.get(f"/api/v1/contacts/{mine}")).json()["contact"]["note"] == "likes tea"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/conversations/email/shop/none/context", None, 404),
        ("GET", "/conversations/email/context", None, 404),
        ("GET", "/contacts/nobody", None, 404),
        ("GET", "/contacts/nobody/timeline", None, 404),
        ("PUT", "/contacts/nobody", {}, 404),
        ("POST", "/contacts/nobody/merge", {"contact": "x"}, 404),
        ("POST", "/contacts/{mine}/merge", {"contact": "x"}, 404),
        ("POST", "/contacts/{mine}/merge", {}, 422),
        ("POST", "/contacts/{mine}/merge", {"contact": 5}, 422),
        ("POST", "/contacts/{mine}/unmerge", {"contact": "x"}, 404),
        ("PUT", "/contacts/{mine}", {"zone": "Middle/Earth"}, 422),
        ("PUT", "/contacts/{mine}", {"colour": "red"}, 422),
        ("GET", "/contacts?spent_from=-1", None, 422),
        ("GET", "/contacts?spent_from=nan", None, 422),
        ("GET", "/contacts?currency=eur", None, 422),
        ("GET", "/contacts?cursor=x", None, 422),
        ("GET", "/contacts/{mine}/timeline?cursor=x", None, 422),
    ],
)
async def test_bad_questions_are_problems_that_say_why(admin, method, path, body, status):
    mine = (await context(admin, MAIL))["contact"]["id"]
    answer = await admin.request(method, f"/api/v1{path.replace('{mine}', mine)}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_who_may_not_answer_may_look_and_change_nothing(admin, as_role):
    mine = (await context(admin, MAIL))["contact"]["id"]
    async with await as_role("viewer") as viewer:
        assert (await viewer.get(f"/api/v1/contacts/{mine}")).status_code == 200
        for method, path in (("PUT", ""), ("POST", "/merge"), ("POST", "/unmerge"), ("POST", "/suggestions/dismiss")):
            answer = await viewer.request(method, f"/api/v1/contacts/{mine}{path}", json={"contact": mine})
            assert answer.status_code == 403
