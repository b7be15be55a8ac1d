"""Channels are bound by admins, with what their platform wants; values are told to nobody but the connector."""

import asyncio
import base64

import msgspec
import pytest

from actors.errors import RejectedError
from services.channels.bindings import FRESH_S, Bindings
from services.channels.secrets import SecretsError, Vault
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.people.permissions import ROLES, Caller
from storage.errors import StoreBusyError
from tests.services_layer.platforms import PLATFORMS, Bazaar, Plain

ANN = Caller(name="ann", role="admin", via="session")
URL = "https://weir.example.com/webhooks/bazaar/shop"
KEY, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
GIVEN = {"app_key": "key-1", "app_secret": "hush-1"}


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Counted:
    """A real store; it counts how often it is asked for everything, and can be away."""

    def __init__(self, store):
        self._store = store
        self.asked = 0
        self.away = False

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def bindings(self):
        self.asked += 1
        if self.away:
            raise StoreBusyError("the store is away")
        return await self._store.bindings()


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def counted(store):
    return Counted(store)


@pytest.fixture
def process(counted, clock, seconds):
    """Another process on the same store."""

    def made(platforms=None, **vault):
        chosen = PLATFORMS if platforms is None else platforms
        return Bindings(counted, Vault(**(vault or {"present": KEY})), chosen, clock, seconds)

    return made


@pytest.fixture
def bindings(process):
    return process()


async def audit(store):
    return [(row.who, row.what, row.subject, row.before, row.after) for row in (await store.audit(50)).items]


async def test_a_bound_channel_gives_its_connector_with_every_setting(bindings):
    assert await bindings.connector("bazaar", "shop") is None
    bound = await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN | {"region": "SG"})
    connector = await bindings.connector("bazaar", "shop")
    assert type(connector) is Bazaar
    assert (connector.binding.account, connector.binding.url) == ("shop", URL)
    assert connector.binding.settings == GIVEN | {"region": "SG"}
    assert await bindings.connector("bazaar", "shop") is connector
    assert await bindings.connector("bazaar", "other") is None
    assert bound.settings == {"app_key": "key-1", "region": "SG"}
    assert b"hush" not in msgspec.json.encode(bound)


async def test_only_admins_bind_unbind_and_reseal(bindings):
    for role in set(ROLES) - {"admin"}:
        caller = Caller(name="bob", role=role, via="token")
        for asked in (
            bindings.bind(caller, "bazaar", "shop", URL, GIVEN),
            bindings.unbind(caller, "bazaar", "shop"),
            bindings.reseal(caller),
        ):
            with pytest.raises(ForbiddenError, match="admin"):
                await asked
    assert await bindings.bindings() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"platform": "bazar"}, "bazaar, plain"),
        ({"account": ""}, "account"),
        ({"account": " shop"}, "account"),
        ({"account": "shop\n"}, "account"),
        ({"account": "\ud800"}, "account"),
        ({"account": "x" * 257}, "256"),
        ({"url": ""}, "url"),
        ({"url": "weir.example.com"}, "https://"),
        ({"url": "ftp://weir.example.com/"}, "https://"),
        ({"url": "https:///webhooks"}, "https://"),
        ({"url": "https://weir.example.com/a b"}, "spaces"),
        ({"url": "https://weir.example.com/a\t"}, "cannot be seen"),
        ({"url": "https://user:hush-1@weir.example.com/"}, "password"),
        ({"url": "https://weir.example.com:port/"}, "no address"),
        ({"url": "https://weir.example.com/#hush-1"}, "#"),
        ({"url": "https://weir.example.com/" + "x" * 2048}, "2048"),
        ({"settings": GIVEN | {"app_secert": "hush-1"}}, "app_secert.*app_key, region, app_secret, token"),
        ({"settings": {"app_key": "key-1"}}, "needs app_secret"),
        ({"settings": {}}, "needs app_key, app_secret"),
        ({"settings": GIVEN | {"app_secret": ""}}, "app_secret is empty"),
        ({"settings": GIVEN | {"token": " \n"}}, "token is empty"),
        ({"settings": GIVEN | {"app_secret": "hush-1\n"}}, "app_secret .* line break"),
        ({"settings": GIVEN | {"app_secret": "hush-1\0x"}}, "app_secret .* cannot be seen"),
        ({"settings": GIVEN | {"app_secret": "hush-1\udc80"}}, "app_secret .* cannot be seen"),
        ({"settings": GIVEN | {"app_secret": "hush-1" * 4000}}, "app_secret has 24000 characters"),
        ({"settings": GIVEN | {"app_key": "impossible"}}, "no such key can be"),
    ],
)
async def test_what_cannot_be_bound_is_refused_with_what_where_and_what_to_do(bindings, store, change, told):
    asked = {"platform": "bazaar", "account": "shop", "url": URL, "settings": GIVEN} | change
    with pytest.raises(RejectedError, match=told) as error:
        await bindings.bind(ANN, asked["platform"], asked["account"], asked["url"], asked["settings"])
    assert "hush-1" not in str(error.value)
    assert (await bindings.bindings(), await audit(store)) == ([], [])


async def test_a_secret_of_several_lines_is_kept_as_it_is(bindings):
    pem = "-----BEGIN KEY-----\nabc\ndef\n-----END KEY-----"
    await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN | {"app_secret": pem})
    assert (await bindings.connector("bazaar", "shop")).binding.settings["app_secret"] == pem


async def test_what_is_not_named_keeps_its_value_and_only_names_are_audited(bindings, store, clock):
    first = await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN | {"token": "hush-t"})
    clock.ms += 5
    bob = Caller(name="bob", role="admin", via="cli")
    second = await bindings.bind(bob, "bazaar", "shop", URL + "/2", {"app_secret": "hush-2", "app_key": "key-1"})
    assert (second.created_at, second.created_by, second.changed_at) == (first.created_at, "ann", clock.ms)
    connector = await bindings.connector("bazaar", "shop")
    assert connector.binding.settings == {"app_key": "key-1", "app_secret": "hush-2", "token": "hush-t"}
    assert connector.binding.url == URL + "/2"
    await bindings.unbind(bob, "bazaar", "shop")
    names = ["app_key", "app_secret", "token"]
    told = await audit(store)
    assert told == [
        ("bob", "channel.unbound", "channel bazaar/shop", {"settings": ["app_key"]}, None),
        (
            "bob",
            "channel.changed",
            "channel bazaar/shop",
            {"settings": names},
            {"settings": names, "changed": ["url", "app_secret"]},
        ),
        ("ann", "channel.bound", "channel bazaar/shop", None, {"settings": names, "changed": names}),
    ]
    assert not any(value in str(told) for value in ("hush", "key-1", "https"))


async def test_binding_again_with_the_same_changes_nothing(bindings, store, clock):
    first = await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN)
    clock.ms += 5
    assert await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN) == first
    assert len(await audit(store)) == 1


async def test_two_admins_at_once_do_not_undo_each_other(process):
    one, other = process(), process()
    await one.bind(ANN, "bazaar", "shop", URL, GIVEN)
    done = await asyncio.gather(
        *(who.bind(ANN, "bazaar", "shop", URL, {name: "new"}) for who, name in ((one, "token"), (other, "region"))),
        return_exceptions=True,
    )
    lost = [isinstance(result, ConflictError) for result in done]
    held = (await process().connector("bazaar", "shop")).binding.settings
    assert [name in held for name in ("token", "region")] == [not conflict for conflict in lost]


async def test_an_unbound_channel_is_forgotten_and_what_was_never_bound_is_not_found(bindings, store):
    await bindings.bind(ANN, "plain", "a/b", URL, {})
    assert type(await bindings.connector("plain", "a/b")) is Plain
    await bindings.unbind(ANN, "plain", "a/b")
    assert await bindings.connector("plain", "a/b") is None
    assert await store.bindings() == []
    with pytest.raises(NotFoundError, match="weir channel list"):
        await bindings.unbind(ANN, "plain", "a/b")


async def test_lists_tell_names_and_never_values(bindings, process):
    await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN | {"token": "hush-t"})
    await bindings.bind(ANN, "bazaar", "a", URL, GIVEN)
    first, second = await bindings.bindings()
    assert (first.account, first.secrets, first.settings) == ("a", ["app_secret"], ["app_key"])
    assert (second.account, second.secrets, second.missing, second.trouble) == (
        "shop",
        ["app_secret", "token"],
        [],
        None,
    )
    for shown in (str([first, second]), str(await process(present=OTHER).bindings()), repr(bindings)):
        assert not any(value in shown for value in ("hush", "key-1"))


async def test_lists_tell_what_is_wrong_with_a_channel(bindings, process):
    await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN)

    class Stricter(Bazaar):
        settings = tuple(msgspec.structs.replace(one, required=True) for one in Bazaar.settings)

    [listed] = await process({"bazaar": Stricter}).bindings()
    assert (listed.missing, listed.trouble) == (["region", "token"], None)
    [listed] = await process({}).bindings()
    assert "no connector for bazaar" in listed.trouble
    [listed] = await process(present=OTHER).bindings()
    assert "WEIR_SECRET_KEY_OLD" in listed.trouble
    assert await process({}).connector("bazaar", "shop") is None


async def test_a_change_of_another_process_holds_within_five_seconds_and_ones_own_at_once(process, seconds, counted):
    here, there = process(), process()
    assert await here.connector("bazaar", "shop") is None
    await there.bind(ANN, "bazaar", "shop", URL, GIVEN)
    assert await here.connector("bazaar", "shop") is None
    assert FRESH_S < 5
    seconds.now += FRESH_S
    first = await here.connector("bazaar", "shop")
    assert first.binding.settings == GIVEN
    await there.bind(ANN, "bazaar", "shop", URL, {"app_secret": "hush-2"})
    seconds.now += FRESH_S
    assert (await here.connector("bazaar", "shop")).binding.settings["app_secret"] == "hush-2"
    await here.bind(ANN, "bazaar", "shop", URL, {"app_secret": "hush-3"})
    assert (await here.connector("bazaar", "shop")).binding.settings["app_secret"] == "hush-3"
    await there.unbind(ANN, "bazaar", "shop")
    seconds.now += FRESH_S
    assert await here.connector("bazaar", "shop") is None
    asked = counted.asked
    await asyncio.gather(*(here.connector("bazaar", f"shop{n}") for n in range(500)))
    assert counted.asked == asked


async def test_an_unchanged_channel_keeps_its_connector(bindings, seconds):
    await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN)
    first = await bindings.connector("bazaar", "shop")
    seconds.now += FRESH_S
    assert await bindings.connector("bazaar", "shop") is first


async def test_many_requests_at_once_ask_the_store_once(bindings, counted):
    await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN)
    found = await asyncio.gather(*(bindings.connector("bazaar", "shop") for _ in range(50)))
    assert all(type(one) is Bazaar for one in found)
    assert counted.asked == 1


async def test_while_the_store_is_away_what_was_known_last_counts(bindings, process, counted, seconds):
    await bindings.bind(ANN, "bazaar", "shop", URL, GIVEN)
    first = await bindings.connector("bazaar", "shop")
    counted.away = True
    seconds.now += 1_000
    assert await bindings.connector("bazaar", "shop") is first
    with pytest.raises(StoreBusyError):
        await process().connector("bazaar", "shop")


async def test_a_change_while_bindings_are_being_read_is_not_missed(process, counted):
    here = process()
    reading, release = asyncio.Event(), asyncio.Event()
    read = counted.bindings

    async def slow():
        rows = await read()
        reading.set()
        await release.wait()
        return rows

    counted.bindings = slow
    first = asyncio.create_task(here.connector("bazaar", "shop"))
    await reading.wait()
    await here.bind(ANN, "bazaar", "shop", URL, GIVEN)
    second = asyncio.create_task(here.connector("bazaar", "shop"))
    release.set()
    await first
    assert type(await second) is Bazaar


async def test_a_missing_key_is_told_and_binding_with_every_secret_mends_it(process, seconds):
    await process().bind(ANN, "bazaar", "shop", URL, GIVEN)
    other = process(present=OTHER)
    for _ in range(2):
        with pytest.raises(SecretsError, match="WEIR_SECRET_KEY_OLD"):
            await other.connector("bazaar", "shop")
    with pytest.raises(SecretsError):
        await other.bind(ANN, "bazaar", "shop", URL, {"app_key": "key-2"})
    await other.bind(ANN, "bazaar", "shop", URL, {"app_secret": "hush-2"})
    seconds.now += FRESH_S
    assert (await other.connector("bazaar", "shop")).binding.settings == {"app_key": "key-1", "app_secret": "hush-2"}


async def test_resealing_moves_everything_to_the_present_key(process, store):
    old, new = process(), process(present=OTHER, older=KEY)
    await old.bind(ANN, "bazaar", "shop", URL, GIVEN)
    await old.bind(ANN, "plain", "p", URL, {})
    result = await new.reseal(ANN)
    assert (result.done, result.failed) == (["bazaar/shop", "plain/p"], {})
    without = process(present=OTHER)
    assert (await without.connector("bazaar", "shop")).binding.settings == GIVEN
    assert len({row.key for row in await store.bindings()}) == 1
    told = await audit(store)
    assert [row[1] for row in told] == ["channel.resealed"] * 2 + ["channel.bound"] * 2
    assert "hush" not in str(told)


async def test_resealing_goes_on_past_what_cannot_be_opened(process):
    await process(present=KEY).bind(ANN, "bazaar", "a", URL, GIVEN)
    await process(present=OTHER).bind(ANN, "bazaar", "b", URL, GIVEN)
    result = await process(present=OTHER).reseal(ANN)
    assert result.done == ["bazaar/b"]
    assert "WEIR_SECRET_KEY_OLD" in result.failed["bazaar/a"]


async def test_resealing_never_undoes_a_change_made_meanwhile(process, counted):
    here, there = process(present=OTHER, older=KEY), process()
    await there.bind(ANN, "bazaar", "shop", URL, GIVEN)
    save = counted.save_binding
    changes = iter([{"app_secret": "hush-2"}])

    async def overtaken(*arguments, **more):
        for change in changes:
            await there.bind(ANN, "bazaar", "shop", URL, change)
        return await save(*arguments, **more)

    counted.save_binding = overtaken
    result = await here.reseal(ANN)
    assert result.done == ["bazaar/shop"]
    [listed] = await process(present=OTHER).bindings()
    assert listed.trouble is None
    assert (await process(present=OTHER).connector("bazaar", "shop")).binding.settings["app_secret"] == "hush-2"
