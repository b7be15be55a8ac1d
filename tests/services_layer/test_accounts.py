"""People, sessions, tokens: who gets in, and who does not any more."""

import asyncio

import msgspec
import pytest

from actors.errors import RejectedError
from services.errors import ConflictError, CredentialsError, ForbiddenError, NotFoundError, TooManyAttemptsError
from services.people.accounts import SESSION_MS, Accounts, digest_of
from services.people.login_limit import MOST_PER_ADDRESS, MOST_PER_NAME, WINDOW_MS, LoginLimit
from services.people.permissions import PERMISSIONS, ROLES, TABLE, Caller, can, demand
from streams.coordination.rate_limits import MOST_KEPT, LocalRateLimits

PASSWORD = "correct horse battery"
DAY_MS = 86_400_000


async def log_in(accounts, name="ann", password=PASSWORD, address="10.0.0.1", old=None):
    return await accounts.log_in(name, password, address, old=old)


async def test_the_first_start_makes_an_admin_with_a_password_told_once(accounts):
    password = await accounts.ensure_admin()
    assert await accounts.ensure_admin() is None
    _, caller = await log_in(accounts, "admin", password)
    assert caller.role == "admin"


async def test_a_session_tells_who_holds_it_until_it_ends(accounts, clock):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    secret, _ = await log_in(accounts)
    assert (await accounts.caller(secret)).name == "ann"
    clock.ms += SESSION_MS + 1
    assert await accounts.caller(secret) is None


async def test_only_a_digest_of_the_secret_is_stored(accounts, store):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    secret, _ = await log_in(accounts)
    assert len(secret) >= 43
    assert (await store.session(digest_of(secret))).user == "ann"
    assert await store.session(secret) is None


async def test_a_wrong_password_an_unknown_name_and_a_disabled_user_are_told_alike(accounts):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    await accounts.add("bob", "agent", PASSWORD, who="test")
    await accounts.change("bob", who="test", disabled=True)
    told = set()
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("", ""), ("x" * 5000, "y")):
        with pytest.raises(CredentialsError) as refusal:
            await log_in(accounts, name, password)
        told.add(str(refusal.value))
    assert len(told) == 1


async def test_names_differ_in_more_than_their_case(accounts):
    await accounts.add("Ann", "agent", PASSWORD, who="test")
    with pytest.raises(ConflictError):
        await accounts.add("ANN", "agent", PASSWORD, who="test")
    _, caller = await log_in(accounts, "ann")
    assert caller.name == "Ann"


async def test_too_many_failures_lock_the_name_from_that_address_only(accounts, clock):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    for _ in range(5):
        with pytest.raises(CredentialsError):
            await log_in(accounts, password="guess")
    with pytest.raises(TooManyAttemptsError):
        await log_in(accounts)
    await log_in(accounts, address="10.0.0.2")
    clock.ms += WINDOW_MS
    await log_in(accounts)


async def test_the_memory_of_failures_is_bounded(clock):
    limits = LocalRateLimits(clock)
    limit = LoginLimit(limits)
    for number in range(MOST_KEPT):
        await limit.attempt(f"address {number}", "name")
    assert limits.kept <= MOST_KEPT


async def test_guessing_many_names_from_one_address_is_stopped(clock):
    limit = LoginLimit(LocalRateLimits(clock))
    for number in range(MOST_PER_ADDRESS):
        await limit.attempt("10.0.0.1", f"name {number}")
    with pytest.raises(TooManyAttemptsError):
        await limit.attempt("10.0.0.1", "another")
    await limit.attempt("10.0.0.2", "another")


async def test_attempts_in_two_processes_count_together(store, clock, light):
    limits = LocalRateLimits(clock)
    here, there = [Accounts(store, clock, light, limits) for _ in range(2)]
    await here.add("ann", "agent", PASSWORD, who="test")
    for accounts in (here, there, here, there, here):
        with pytest.raises(CredentialsError):
            await log_in(accounts, password="guess")
    with pytest.raises(TooManyAttemptsError):
        await log_in(there)


async def test_guesses_at_the_same_time_count_before_any_of_them_is_checked(accounts):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    guesses = await asyncio.gather(*(log_in(accounts, password="guess") for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(guess, CredentialsError) for guess in guesses) == MOST_PER_NAME


async def test_who_logs_in_uses_up_nothing(accounts):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    for _ in range(MOST_PER_ADDRESS + 1):
        await log_in(accounts)


@pytest.mark.parametrize("change", [{"password": "another good one"}, {"disabled": True}])
async def test_a_change_of_password_or_access_ends_the_sessions(accounts, change):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    secret, _ = await log_in(accounts)
    assert await accounts.caller(secret)
    told = []
    accounts.on_revoked(told.append)
    await accounts.change("ann", who="test", **change)
    assert await accounts.caller(secret) is None
    assert told == ["ann"]


async def test_another_role_holds_at_the_next_action_in_the_same_session(accounts):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    secret, _ = await log_in(accounts)
    assert (await accounts.caller(secret)).role == "agent"
    told = []
    accounts.on_revoked(told.append)
    await accounts.change("ann", who="test", role="viewer")
    assert (await accounts.caller(secret)).role == "viewer"
    assert told == []


async def test_who_is_looked_up_while_he_is_changed_is_not_remembered_as_he_was(accounts, store, monkeypatch):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    secret, _ = await log_in(accounts)
    looked, user = asyncio.Event(), store.user
    go_on = asyncio.Event()

    async def slow(name):
        found = await user(name)
        looked.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(store, "user", slow)
    asking = asyncio.create_task(accounts.caller(secret))
    await looked.wait()
    monkeypatch.setattr(store, "user", user)
    await accounts.change("ann", who="test", role="viewer")
    go_on.set()
    await asking
    assert (await accounts.caller(secret)).role == "viewer"


async def test_a_change_in_another_process_holds_after_two_seconds(accounts, store, clock, light):
    await accounts.add("ann", "agent", PASSWORD, who="test")
    secret, _ = await log_in(accounts)
    assert await accounts.caller(secret)
    await Accounts(store, clock, light).change("ann", who="cli", disabled=True)
    clock.ms += 2_001
    assert await accounts.caller(secret) is None


async def test_the_last_admin_cannot_leave(accounts):
    await accounts.add("ann", "admin", PASSWORD, who="test")
    for change in ({"role": "agent"}, {"disabled": True}):
        with pytest.raises(ConflictError):
            await accounts.change("ann", who="test", **change)
    await accounts.add("bob", "admin", PASSWORD, who="test")
    await accounts.change("ann", who="test", role="agent")


@pytest.mark.parametrize(
    ("name", "role", "password"), [("", "agent", PASSWORD), ("a\nb", "agent", PASSWORD), ("ann", "king", PASSWORD)]
)
async def test_bad_names_and_roles_are_refused(accounts, name, role, password):
    with pytest.raises(RejectedError):
        await accounts.add(name, role, password, who="test")


async def test_a_short_password_is_refused(accounts):
    with pytest.raises(RejectedError, match="characters"):
        await accounts.add("ann", "agent", "short", who="test")


async def test_every_change_is_audited_and_no_row_holds_a_hash(accounts, store):
    await accounts.add("ann", "admin", PASSWORD, who="carl")
    await accounts.add("bob", "agent", PASSWORD, who="carl")
    await accounts.change("bob", who="ann", role="viewer")
    await accounts.change("bob", who="ann", password="another good one")
    with pytest.raises(NotFoundError):
        await accounts.change("nobody", who="ann", role="viewer")
    rows = (await store.audit(10)).items
    assert [row.what for row in rows] == ["user.password", "user.changed", "user.added", "user.added"]
    changed = rows[1]
    assert (changed.who, changed.subject) == ("ann", "bob")
    assert (changed.before["role"], changed.after["role"]) == ("agent", "viewer")
    assert b"argon2" not in msgspec.json.encode(rows)


async def test_a_token_is_worth_its_role_until_it_is_revoked_or_over(tokens, clock):
    secret, token = await tokens.create("feed", "supervisor", who="ann", days=1)
    assert (await tokens.caller(secret)).role == "supervisor"
    clock.ms += DAY_MS
    assert await tokens.caller(secret) is None
    secret, token = await tokens.create("feed", "supervisor", who="ann")
    assert await tokens.caller(secret)
    await tokens.revoke(token.id, who="ann")
    assert await tokens.caller(secret) is None
    with pytest.raises(ConflictError):
        await tokens.revoke(token.id, who="ann")


async def test_only_a_digest_of_a_token_is_stored(tokens, store):
    secret, token = await tokens.create("feed", "viewer", who="ann")
    assert secret not in msgspec.json.encode(await store.tokens()).decode()
    assert token.digest == digest_of(secret)
    assert await tokens.caller(secret + "x") is None


async def test_a_tokens_last_use_is_known_to_the_minute(tokens, store, clock):
    secret, _ = await tokens.create("feed", "viewer", who="ann")
    await tokens.caller(secret)
    assert (await store.tokens())[0].last_used_at == clock.ms


def test_every_role_and_every_permission_stands_in_the_table():
    assert set(TABLE) == set(ROLES)
    assert TABLE["admin"] == set(PERMISSIONS)
    assert all(can(role, "view_health") for role in ROLES)
    assert not can("viewer", "act_on_anomalies")


def test_who_may_not_is_told_who_may():
    with pytest.raises(ForbiddenError, match="admin"):
        demand(Caller(name="ann", role="agent", via="session"), "manage_users")
