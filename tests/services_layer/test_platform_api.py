"""How platforms are asked: over real connections to a real server, which behaves as badly as platforms do."""

from __future__ import annotations

import asyncio
import gzip
import socket

import pytest
import structlog

from connectors.contract.calling import ApiRequest, BusyError, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Binding, Connector, Setting
from connectors.contract.history import Pace
from services.channels.platform_api import Apis
from services.channels.public_addresses import is_public
from streams.coordination.errors import CoordinationLostError
from streams.coordination.rate_limits import LocalRateLimits
from tests.services_layer.http_server import answer, answers, serving

NOW = 1_800_000_000_000


class Slowly(Connector):
    platform = "slowly"
    settings = (Setting(name="token", about="of the account"), Setting(name="api_url", about="where", secret=False))
    pace = Pace(requests=3, per_s=60.0)

    def verify(self, request):
        del request

    def parse(self, request):
        del request
        return ()


class Steady:
    """Seconds that pass when somebody sleeps."""

    def __init__(self):
        self.s = 1000.0
        self.slept = []

    def __call__(self):
        return self.s

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.s += seconds


@pytest.fixture
def steady():
    return Steady()


@pytest.fixture
async def apis(steady):
    made = Apis(LocalRateLimits(lambda: round(steady() * 1000)), lambda: NOW, sleep=steady.sleep, clock=steady)
    yield made
    await made.close()


@pytest.fixture
def api(apis):
    return apis.of(channel())


def channel(account="shop-1", **settings):
    return Slowly(Binding(account=account, url="https://weir.test", settings={"token": "s3cret/word", **settings}))


def asks(server, path="/v1", method="GET", **fields):
    return ApiRequest(method=method, url=server.url + path, **fields)


async def test_the_whole_answer_comes_back_whatever_its_status(api):
    async with serving(answers(answer(404, b"no such thing", X_Trace="t1"))) as server:
        query = (("b", "x y"), ("b", "&/+é"))
        request = asks(server, "/v1?a=1", "POST", query=query, headers={"X-Own": "1"}, body=b"{}")
        told = await api.call(request)
    assert (told.status, told.body, told.headers["x-trace"]) == (404, b"no such thing", "t1")
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/v1?a=1&b=x%20y&b=%26%2F%2B%C3%A9", b"{}")
    assert asked.headers["x-own"] == "1"
    assert api.now() == NOW


async def test_a_redirect_is_an_answer_like_any_other(api):
    async with serving(answers(answer(302, Location="http://127.0.0.1:1/"))) as server:
        assert (await api.call(asks(server))).status == 302
    assert len(server.asked) == 1


async def test_cookies_of_one_account_never_go_with_another(apis):
    async with serving(answers(answer(200, Set_Cookie="session=anna; Path=/"))) as server:
        await apis.of(channel("a")).call(asks(server))
        await apis.of(channel("b")).call(asks(server))
    assert ["cookie" in asked.headers for asked in server.asked] == [False, False]


async def test_without_a_connection_nothing_was_sent(api):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError, match="ConnectError"):
            await api.call(ApiRequest(method="POST", url=f"http://127.0.0.1:{free.getsockname()[1]}/"))


async def test_a_host_without_an_address_was_sent_nothing(api):
    with pytest.raises(UnreachableError):
        await api.call(ApiRequest(method="POST", url="http://no-such-host.invalid/"))


async def test_a_server_without_tls_was_sent_nothing(api):
    async with serving(answers(answer())) as server:
        with pytest.raises(UnreachableError):
            await api.call(ApiRequest(method="POST", url=f"https://127.0.0.1:{server.port}/", timeout_s=3))
    assert server.asked == []


async def test_who_is_asked_and_never_answers_may_have_carried_it_out(api):
    async def nothing(_asked, _writer):
        await asyncio.Event().wait()

    async with serving(nothing) as server:
        with pytest.raises(UncertainError, match="in time"):
            await api.call(asks(server, method="POST", timeout_s=0.2))
    assert len(server.asked) == 1


async def test_who_hangs_up_after_the_request_may_have_carried_it_out(api):
    async def hang_up(_asked, writer):
        writer.transport.abort()

    async with serving(hang_up) as server:
        with pytest.raises(UncertainError):
            await api.call(asks(server, method="POST"))


async def test_half_an_answer_is_no_answer(api):
    async def half(_asked, writer):
        writer.write(answer(200, b"0123456789")[:-5])
        writer.close()

    async with serving(half) as server:
        with pytest.raises(UncertainError, match="broke off"):
            await api.call(asks(server))


async def test_an_answer_that_drips_is_given_up_in_time(api):
    async def drip(_asked, writer):
        writer.write(answer(200, b"x" * 1000)[:-1000])
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drip) as server:
        with pytest.raises(UncertainError, match="in time"):
            await api.call(asks(server, timeout_s=0.2))


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_that_is_too_long_is_not_read_to_its_end(api, packed):
    body = b"x" * 2_000_000
    told = answer(200, gzip.compress(body), Content_Encoding="gzip") if packed else answer(200, body)
    async with serving(answers(told)) as server:
        with pytest.raises(UncertainError, match="longer than 1000 bytes"):
            await api.call(asks(server, most=1000))


async def test_a_request_that_cannot_be_made_is_refused_without_telling_what_is_in_it(api):
    async with serving(answers(answer())) as server:
        for wrong in ("line\nbreak-s3cret", "snow☃-s3cret"):
            with pytest.raises(RefusedError) as refused:
                await api.call(asks(server, headers={"Authorization": wrong}))
            assert "s3cret" not in str(refused.value)
    assert server.asked == []


async def test_an_account_is_asked_no_faster_than_its_pace(apis, api, steady):
    async with serving(answers(answer())) as server:
        for _ in range(3):
            await api.call(asks(server))
        with pytest.raises(BusyError) as busy:
            await api.call(asks(server, timeout_s=15))
        assert busy.value.retry_after == pytest.approx(60, abs=0.1)
        await apis.of(channel("another")).call(asks(server))
        steady.s += 50
        await api.call(asks(server, timeout_s=15))
    assert sum(steady.slept) == pytest.approx(10, abs=0.1)
    assert len(server.asked) == 5


async def test_after_429_the_account_is_left_alone_as_long_as_the_platform_wishes(apis, api, steady):
    async with serving(answers(answer(429, Retry_After="40"), answer(200))) as server:
        assert (await api.call(asks(server))).status == 429
        with pytest.raises(BusyError) as busy:
            await api.call(asks(server, timeout_s=15))
        assert busy.value.retry_after == pytest.approx(40)
        assert (await apis.of(channel("another")).call(asks(server))).status == 200
        steady.s += 41
        assert (await api.call(asks(server, timeout_s=15))).status == 200
    assert len(server.asked) == 3


async def test_while_nobody_knows_the_pace_nothing_is_sent():
    class Lost(LocalRateLimits):
        async def take(self, *_asked):
            raise CoordinationLostError("gone")

    apis = Apis(Lost(), lambda: NOW)
    async with serving(answers(answer())) as server:
        with pytest.raises(UnreachableError, match="pace"):
            await apis.of(channel()).call(asks(server))
    await apis.close()
    assert server.asked == []


async def test_the_log_tells_neither_query_nor_headers_nor_body_nor_a_token_in_the_path(api):
    with structlog.testing.capture_logs() as lines:
        async with serving(answers(answer(500, b"told-by-the-platform"))) as server:
            request = asks(server, "/bots3cret%2Fword/send", "POST", query=(("sign", "q-word"),), body=b"b-word")
            await api.call(request)
    (line,) = lines
    assert {**line, "ms": 0} == {
        "event": "platform asked",
        "log_level": "info",
        "method": "POST",
        "host": "127.0.0.1",
        "path": "/bot***/send",
        "status": 500,
        "ms": 0,
    }


async def test_a_file_comes_in_pieces_and_no_longer_than_allowed(apis):
    async with serving(answers(answer(200, b"z" * 300_000, Content_Type="image/png"))) as server:
        api = apis.of(channel(api_url=server.url))
        async with api.download(asks(server), 300_000) as file:
            assert (file.status, file.headers["content-type"]) == (200, "image/png")
            assert b"".join([piece async for piece in file.pieces]) == b"z" * 300_000
        with pytest.raises(RefusedError) as refused:
            async with api.download(asks(server), 299_999) as file:
                [piece async for piece in file.pieces]
        assert refused.value.code == "too_large"


async def test_a_file_that_breaks_off_is_no_file(apis):
    async def half(_asked, writer):
        writer.write(answer(200, b"0123456789")[:-5])
        writer.close()

    async with serving(half) as server:
        with pytest.raises(UncertainError):
            async with apis.of(channel(api_url=server.url)).download(asks(server), 100) as file:
                [piece async for piece in file.pieces]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "127.1"])
async def test_a_file_of_our_own_network_is_not_fetched(api, host):
    async with serving(answers(answer())) as server:
        with pytest.raises((RefusedError, UnreachableError)) as refused:
            async with api.download(ApiRequest(method="GET", url=f"http://{host}:{server.port}/"), 100):
                pass
    assert getattr(refused.value, "code", "private_address") == "private_address"
    assert server.asked == []


async def test_a_name_that_leads_to_public_and_private_addresses_is_refused(apis, api):
    async def both(_host, _port):
        return ["93.184.216.34", "10.0.0.1"]

    apis.resolve = both
    with pytest.raises(RefusedError, match="private network"):
        async with api.download(ApiRequest(method="GET", url="http://files.example/"), 100):
            pass


async def test_a_redirect_to_our_own_network_is_not_followed(apis):
    async with (
        serving(answers(answer(200, b"inner"))) as inner,
        serving(answers(answer(302, Location=inner.url.replace("127.0.0.1", "127.0.0.2")))) as outer,
    ):
        with pytest.raises(RefusedError):
            async with apis.of(channel(api_url=outer.url)).download(asks(outer), 100):
                pass
    assert inner.asked == []


async def test_credentials_stay_behind_when_a_file_lies_elsewhere(apis):
    async with serving(answers(answer(200, b"there"))) as store, serving(answers(b"")) as outer:
        outer.act = answers(answer(302, Location="/own"), answer(302, Location=store.url + "/it"))
        api = apis.of(channel(api_url=outer.url))
        request = asks(outer, headers={"Authorization": "Bearer x"})
        async with api.download(request, 100) as file:
            assert [piece async for piece in file.pieces] == [b"there"]
    assert [asked.headers.get("authorization") for asked in outer.asked] == ["Bearer x", "Bearer x"]
    assert [(asked.target, asked.headers.get("authorization")) for asked in store.asked] == [("/it", None)]


async def test_the_connection_goes_to_the_address_that_was_looked_at(apis, api, monkeypatch):
    """A name may lead elsewhere the second time it is asked for."""

    async def first(host, _port):
        assert host == "files.example"
        return ["127.0.0.1"]

    monkeypatch.setattr("services.channels.public_addresses.is_public", lambda _address: True)
    apis.resolve = first
    async with serving(answers(answer(200, b"here"))) as server:
        url = f"http://files.example:{server.port}/a"
        async with api.download(ApiRequest(method="GET", url=url), 100) as file:
            assert [piece async for piece in file.pieces] == [b"here"]
    assert server.asked[0].headers["host"] == f"files.example:{server.port}"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),
        *((private, False) for private in ("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1")),
        *((private, False) for private in ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0")),  # noqa: S104 # no bind
        *((private, False) for private in ("fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1")),
        ("no address", False),
    ],
)
def test_public_is_what_belongs_to_the_internet(address, public):
    assert is_public(address) is public
