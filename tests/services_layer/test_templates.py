"""Templates: the wording that fits, filled in with what is known, and never sent with a brace."""

import asyncio

import pytest

from actors.errors import RejectedError
from actors.orders import Order, OrderItem, Shipment
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.people.permissions import Caller
from services.templates.choosing import chosen, wording_for
from services.templates.templates import DAY_MS, Templates, Wanted
from services.templates.variables import VARIABLES, filled, unfilled
from storage.label_records import ConversationLabelled
from storage.writing_records import Template, TemplateText
from tests.services_layer.desk import AGENT
from tests.services_layer.postal import ACCOUNT, KEY, PLATFORM

BOSS = Caller(name="sam", role="supervisor", via="session")


@pytest.fixture
def templates(desk):
    return Templates(desk.store, desk.clock)


def wanted(name="hello", *texts, **more):
    return Wanted(name=name, texts=texts or (TemplateText(text="Hello {contact.name}"),), **more)


def said(*places):
    return [TemplateText(text=f"{platform}/{lang}", platform=platform, lang=lang) for platform, lang in places]


@pytest.mark.parametrize(
    ("places", "lang", "found"),
    [
        ([(None, None), (None, "de"), ("ebay", None), ("ebay", "de")], "de", "ebay/de"),
        ([(None, None), (None, "de"), ("ebay", None)], "de", "ebay/None"),
        ([(None, None), (None, "de")], "de", "None/de"),
        ([(None, None)], "de", "None/None"),
        ([("shopee", None), ("shopee", "de")], "de", None),
        ([("ebay", "fr"), (None, "de")], "de", "None/de"),
        ([("ebay", "fr")], "de", None),
        ([("ebay", "pt"), ("ebay", "pt-PT")], "pt-BR", "ebay/pt"),
        ([("ebay", "pt-PT")], "pt_BR", "ebay/pt-PT"),
        ([("ebay", "zh-TW"), ("ebay", "zh-CN")], "ZH-cn", "ebay/zh-CN"),
        ([("ebay", "de"), (None, None)], "", "None/None"),
    ],
)
def test_the_wording_is_chosen_by_platform_then_language(places, lang, found):
    wording = wording_for(said(*places), "ebay", [lang] if lang else [])
    assert (wording and wording.text) == found


def test_the_most_used_come_first_and_a_hit_in_the_name_before_one_in_the_text():
    def made(number, text, used, **more):
        base = {
            "name": f"n{number}",
            "folder": "",
            "created_at": 0,
            "created_by": "",
            "changed_at": 0,
            "changed_by": "",
        }
        return Template(id=str(number), texts=[TemplateText(text=text)], used=used, **(base | more))

    rows = [made(1, "refund", 3), made(2, "x", 9), made(3, "y", 1, name="Refund"), made(4, "refund", 5, active=False)]
    assert [one.template.id for one in chosen(rows, "ebay", [])] == ["2", "1", "3"]
    assert [one.template.id for one in chosen(rows, "ebay", [], "REFUND")] == ["3", "1"]
    assert chosen(rows, "ebay", [], "refund nothing") == []
    assert len(chosen(rows, "ebay", [], most=1)) == 1


def test_what_has_no_value_stays_to_be_filled_in_and_a_value_is_never_read_again():
    text, missing = filled(
        "{contact.name} {shop} {nothing} {shop} {Not} {}", {"contact.name": "{shop}", "agent.name": "x"}
    )
    assert text == "{shop} {shop} {nothing} {shop} {Not} {}"
    assert missing == ["shop", "nothing"]
    assert unfilled(text) == ["shop"]


async def test_what_is_known_of_conversation_and_order_is_put_in(desk, templates):
    await desk.hears("m2", order="R-9", lang="de")
    order = Order(
        platform=PLATFORM, account=ACCOUNT, id="1", number="R-9", status="sent", total="12.30", currency="EUR",
        items=[OrderItem(title="Mug", quantity=1)], shipments=[Shipment(carrier="DHL", number="JJD01", url="https://d")],
        created_at=1, updated_at=1,
    )  # fmt: skip
    await desk.store.put_orders(
        [order, Order(platform="x", account="y", id="2", number="R-9", created_at=9, updated_at=9)]
    )
    every = " ".join(f"{{{name}}}" for name in VARIABLES)
    await templates.create(BOSS, wanted("all", TemplateText(text=every)))
    [offer] = await templates.offers(AGENT, KEY)
    assert offer.text == f"Li Wei Li R-9 sent 12.30 EUR Mug JJD01 DHL https://d mei {ACCOUNT} {PLATFORM}"
    assert offer.missing == []


async def test_the_language_of_the_conversation_chooses_unless_another_is_wanted(desk, templates):
    await desk.hears("m2", lang="de")
    texts = [TemplateText(text=text, lang=text) for text in ("de", "fr")]
    await templates.create(BOSS, wanted("hello", *texts))
    assert [one.text for one in await templates.offers(AGENT, KEY)] == ["de"]
    assert [one.text for one in await templates.offers(AGENT, KEY, lang="fr")] == ["fr"]
    assert await templates.offers(AGENT, KEY, lang="th") == []


async def test_where_no_platform_told_a_language_that_of_the_words_chooses(desk, templates):
    texts = [TemplateText(text="anyone"), *(TemplateText(text=text, lang=text) for text in ("es", "fr"))]
    await templates.create(BOSS, wanted("hello", *texts))
    assert [one.text for one in await templates.offers(AGENT, KEY)] == ["anyone"]
    guessed = ConversationLabelled(key=KEY, labels=(), lang="es")
    await desk.hears("m2", labelled=[guessed])
    assert [one.text for one in await templates.offers(AGENT, KEY)] == ["es"]
    assert [one.text for one in await templates.offers(AGENT, KEY, lang="fr")] == ["fr"]
    await desk.hears("m3", lang="fr")
    assert [one.text for one in await templates.offers(AGENT, KEY)] == ["fr"]


async def test_a_change_leaves_who_and_what_and_of_two_the_first_wins(desk, templates):
    made = await templates.create(BOSS, wanted("hello", folder=" a / b "))
    assert (made.folder, made.version) == ("a/b", 1)
    desk.clock.ms += 5
    changed = await templates.change(BOSS, made.id, wanted("hello 2", version=1))
    assert (changed.name, changed.version, changed.changed_at) == ("hello 2", 2, desk.clock.ms)
    with pytest.raises(ConflictError, match="sam changed this template"):
        await templates.change(BOSS, made.id, wanted("hello 3", version=1))
    results = await asyncio.gather(
        *(templates.change(BOSS, made.id, wanted(f"n{n}", version=2)) for n in range(5)), return_exceptions=True
    )
    assert sum(isinstance(one, Template) for one in results) == 1
    await templates.delete(BOSS, made.id)
    for call in (templates.delete(BOSS, made.id), templates.change(BOSS, made.id, wanted(version=3))):
        with pytest.raises(NotFoundError):
            await call
    assert await desk.audits() == ["template.created", "template.changed", "template.changed", "template.deleted"]


async def test_what_nobody_uses_or_changed_for_long_is_stale(desk, templates):
    made = await templates.create(BOSS, wanted())
    assert templates.staleness(made) is None
    desk.clock.ms += 91 * DAY_MS
    assert templates.staleness(made) == "unused"
    await templates.used(AGENT, made.id)
    [held] = await templates.all(AGENT)
    assert (held.used, held.last_used_at, templates.staleness(held)) == (1, desk.clock.ms, None)
    desk.clock.ms += 300 * DAY_MS
    await templates.used(AGENT, made.id)
    [held] = await templates.all(AGENT)
    assert templates.staleness(held) == "unchanged"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (wanted(" "), "name"),
        (wanted("x" * 121), "name"),
        (wanted("a\nb"), "name"),
        (wanted("a", folder="x" * 121), "folder"),
        (Wanted(name="a", texts=()), "texts"),
        (wanted("a", TemplateText(text=" ")), "says something"),
        (wanted("a", TemplateText(text="x" * 20_001)), "20000"),
        (wanted("a", TemplateText(text="x", platform="")), "platform or language"),
        (wanted("a", TemplateText(text="x", lang="ü")), "platform or language"),
        (wanted("a", TemplateText(text="x", lang="de"), TemplateText(text="y", lang="DE")), "two wordings"),
    ],
)
async def test_what_is_no_template_is_told_why(templates, bad, why):
    with pytest.raises(RejectedError, match=why):
        await templates.create(BOSS, bad)
    assert await templates.all(AGENT) == []


async def test_a_name_is_there_once_a_folder_and_only_those_who_may_change(templates):
    made = await templates.create(BOSS, wanted("hello", folder="a"))
    with pytest.raises(ConflictError, match="in that folder"):
        await templates.create(BOSS, wanted("HELLO", folder="A"))
    other = await templates.create(BOSS, wanted("hello", folder="b"))
    with pytest.raises(ConflictError, match="in that folder"):
        await templates.change(BOSS, other.id, wanted("hello", folder="a", version=1))
    await templates.change(BOSS, made.id, wanted("Hello", folder="a", version=1))
    for call in (
        templates.create(AGENT, wanted("x")),
        templates.change(AGENT, made.id, wanted("x")),
        templates.delete(AGENT, made.id),
    ):
        with pytest.raises(ForbiddenError):
            await call
    with pytest.raises(NotFoundError):
        await templates.used(AGENT, "t-none")
    with pytest.raises(NotFoundError):
        await templates.offers(AGENT, KEY + "x")
