"""Who somebody is now."""

from msgspec.structs import replace

from services.people.accounts import SESSION_MS
from services.people.renewal import Renewal
from storage.records import AuditRow

PASSWORD = "correct horse battery"  # of a test's person


async def logged_in(accounts):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    return (await accounts.log_in("ann", PASSWORD, "127.0.0.1"))[1]


async def changed(store, **what):
    """The person as another process would leave it, sessions untouched."""
    user = replace(await store.user("ann"), **what)
    await store.put_user(user, AuditRow(at=1, who="test", what="user.changed", subject="ann"))


async def test_a_new_role_holds_while_the_session_goes_on(accounts, store, clock):
    caller = await logged_in(accounts)
    renewal = Renewal(store, clock)
    assert await renewal(caller) == caller
    await changed(store, role="finance")
    assert (await renewal(caller)).role == "finance"


async def test_whose_session_is_over_or_ended_is_nobody(accounts, store, clock):
    caller = await logged_in(accounts)
    renewal = Renewal(store, clock)
    clock.ms += SESSION_MS
    assert await renewal(caller) is None
    clock.ms -= SESSION_MS
    await accounts.end_sessions("ann")
    assert await renewal(caller) is None


async def test_who_was_disabled_is_nobody(accounts, store, clock):
    caller = await logged_in(accounts)
    await changed(store, disabled=True)
    assert await Renewal(store, clock)(caller) is None


async def test_a_token_holds_until_it_is_revoked_or_over(tokens, store, clock):
    secret, token = await tokens.create("robot", "agent", who="test", days=1)
    caller = await tokens.caller(secret)
    renewal = Renewal(store, clock)
    assert (await renewal(caller)).role == "agent"
    clock.ms += 86_400_000
    assert await renewal(caller) is None
    clock.ms -= 86_400_000
    await tokens.revoke(token.id, who="test")
    assert await renewal(caller) is None
