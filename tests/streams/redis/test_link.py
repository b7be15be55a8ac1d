"""The link to Redis: bounded, honest about its state, restored by itself."""

from __future__ import annotations

import asyncio
import logging

import pytest

from actors.errors import ConfigurationError
from streams.coordination.errors import CoordinationLostError
from streams.redis import RedisLink
from tests.streams.redis.conftest import until

SECRET = "s3cret/#?@word"
QUOTED = "s3cret%2F%23%3F%40word"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://localhost",
        f"redis://ann:{SECRET}@localhost:6379",
        "redis://ann:12#cret@localhost",
        "redis://ann:12/cret@localhost",
        "redis://localhost:port",
        "redis://localhost:6379?colour=blue",
        "redis://localhost:6379?socket_timeout=cret",
    ],
)
def test_an_address_that_does_not_fit_is_refused_and_never_quoted(url):
    with pytest.raises(ConfigurationError, match="setting redis") as refusal:
        RedisLink(url)
    assert "cret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_link_is_named_without_user_and_password():
    link = RedisLink(f"redis://ann:{QUOTED}@redis.example:6380/3")
    assert link.name == "redis.example:6380/3"
    assert SECRET not in repr(link.client.connection_pool)


def test_channels_of_two_databases_are_two():
    assert RedisLink("redis://h/1").channel("deltas") != RedisLink("redis://h/2").channel("deltas")
    assert RedisLink("redis://h/1").key("lock", "x") == "weir:lock:x"


async def test_a_redis_that_is_not_there_is_told_and_no_error_at_the_start(caplog):
    link = RedisLink("redis://ann:secret@127.0.0.1:1/0")
    await link.start()
    assert not link.connected
    assert "Redis at 127.0.0.1:1/0 is out of reach" in link.trouble
    asked = []
    with pytest.raises(CoordinationLostError, match="out of reach"):
        await link.call(asked.append)
    assert asked == []
    await link.close()
    assert "secret" not in caplog.text + link.trouble


@pytest.mark.services
async def test_a_wrong_password_stops_the_start_and_is_not_quoted(redis_server):
    link = RedisLink(redis_server.url.replace("//", f"//ann:{QUOTED}@"))
    with pytest.raises(ConfigurationError, match="refuses the user or the password") as refusal:
        await link.start()
    assert SECRET not in str(refusal.value)


@pytest.mark.services
async def test_a_link_comes_back_by_itself_and_both_are_logged_once(linked, server, caplog):
    caplog.set_level(logging.INFO, logger="streams.redis")
    link = await linked()
    assert link.connected
    assert link.trouble is None
    await server.kill()
    await until(lambda: not link.connected)
    for _ in range(3):
        with pytest.raises(CoordinationLostError):
            await link.call(lambda client: client.ping())
    await server.start()
    await until(lambda: link.connected)
    assert link.trouble is None
    assert await link.call(lambda client: client.ping())
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        f"Redis at {link.name} is out of reach",
        f"Redis at {link.name} is back",
    ]


@pytest.mark.services
async def test_a_frozen_redis_is_given_up_and_found_again(linked, server):
    link = await linked(timeout_s=0.2)
    await server.pause()
    with pytest.raises(CoordinationLostError):
        await link.call(lambda client: client.ping())
    assert not link.connected
    await server.resume()
    await until(lambda: link.connected)
    assert await link.call(lambda client: client.ping())


@pytest.mark.services
async def test_more_calls_than_connections_wait_for_their_turn(linked):
    link = await linked(most_connections=3)
    answers = await asyncio.gather(*(link.call(lambda client, n=n: client.echo(n)) for n in range(200)))
    assert [int(answer) for answer in answers] == list(range(200))
    assert len(link.client.connection_pool._available_connections) <= 3


@pytest.mark.services
async def test_a_refusal_is_told_and_no_reason_to_give_the_link_up(linked):
    link = await linked()
    with pytest.raises(CoordinationLostError, match="refused: unknown command"):
        await link.call(lambda client: client.execute_command("NOSUCH"))
    assert link.connected


@pytest.mark.services
async def test_a_call_given_up_never_leaves_its_answer_to_another(linked):
    link = await linked(most_connections=2)
    for number in range(50):
        given_up = asyncio.create_task(link.call(lambda client: client.echo("old")))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        asked_to_end = given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert given_up.cancelled() or not asked_to_end
        assert await link.call(lambda client, n=number: client.echo(n)) == str(number).encode()


@pytest.mark.services
async def test_scripts_are_known_again_after_redis_forgot_them(linked):
    link = await linked()
    double = link.client.register_script("return ARGV[1] * 2")
    assert await link.call(lambda _: double(args=[2])) == 4
    await link.client.script_flush()
    assert await link.call(lambda _: double(args=[3])) == 6


@pytest.mark.services
async def test_a_closed_link_says_so(linked):
    link = await linked()
    await link.close()
    with pytest.raises(CoordinationLostError, match="closed"):
        await link.call(lambda client: client.ping())
