"""People, sessions, tokens, thresholds, and the log of changes."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from actors.errors import RejectedError
from storage.records import AuditRow, Session, ThresholdVersion, Token, User
from tests.storage.flushes import NOW, everything

AUDIT = AuditRow(at=NOW, who="ann", what="changed", subject="users/ann", before={"a": [1]}, after=None)


def user(name, id_=None, **more):
    return User(id=id_ or f"id-{name}", name=name, role="agent", password_hash="$argon2id$x", created_at=NOW, **more)


class AccountContract:
    async def test_a_user_is_found_whatever_the_case_of_the_name(self, store):
        ann = user("Ännchen", lang="de")
        await store.put_user(ann, AUDIT)
        assert await store.user("äNNCHEN") == ann
        assert await store.user("nobody") is None
        changed = user("Ann", ann.id, disabled=True)
        await store.put_user(changed, AUDIT)
        await store.put_user(user("bob"), AUDIT)
        assert await store.users() == [changed, user("bob")]
        assert await store.user("ännchen") is None

    async def test_a_login_name_belongs_to_one_person(self, store):
        await store.put_user(user("ann"), AUDIT)
        with pytest.raises(RejectedError):
            await store.put_user(user("ANN", "somebody else"), AUDIT)
        assert len((await store.audit(5)).items) == 1

    async def test_sessions_come_and_go(self, store):
        rows = [Session(digest=f"d{n}", user=f"u{n % 2}", created_at=NOW, expires_at=NOW + n) for n in range(6)]
        for row in rows:
            await store.put_session(row)
        assert await store.session("d3") == rows[3]
        await store.delete_sessions(digest="d5")
        await store.delete_sessions(user="u0")
        await store.delete_sessions(expired_before=NOW + 3)
        left = [await store.session(f"d{n}") for n in range(6)]
        assert left == [None, None, None, rows[3], None, None]

    async def test_tokens_are_found_by_digest(self, store):
        token = Token(id="t1", name="ci", role="viewer", digest="abc", created_by="ann", created_at=NOW)
        await store.put_token(token, AUDIT)
        assert await store.token("abc") == token
        revoked = msgspec.structs.replace(token, revoked_at=NOW + 1)
        await store.put_token(revoked)
        assert await store.token("abc") == revoked
        assert await store.tokens() == [revoked]
        assert await store.token("other") is None
        assert len((await store.audit(5)).items) == 1

    async def test_the_use_of_a_token_changes_nothing_else_of_it(self, store):
        token = Token(id="t1", name="ci", role="viewer", digest="abc", created_by="ann", created_at=NOW)
        other = Token(id="t2", name="cd", role="admin", digest="def", created_by="bob", created_at=NOW + 1)
        await store.put_token(token)
        await store.put_token(other)
        revoked = msgspec.structs.replace(token, revoked_at=NOW + 2)
        await store.put_token(revoked)
        for at in (NOW + 3, NOW + 9):
            await store.token_used("abc", at)
        used = msgspec.structs.replace(revoked, last_used_at=NOW + 9)
        assert await store.token("abc") == used
        assert sorted(await store.tokens(), key=lambda row: row.id) == [used, other]
        assert (await store.audit(5)).items == []

    async def test_the_use_of_an_unknown_token_is_ignored(self, store):
        await store.token_used("nobody's", NOW)
        assert await store.tokens() == []

    async def test_the_log_of_changes_is_filtered_by_who_and_by_how_what_begins(self, store):
        for n in range(12):
            who, what = ("ann", "Ann", "bob")[n % 3], ("login", "login.failed")[n // 3 % 2]
            row = msgspec.structs.replace(AUDIT, at=NOW + n, who=who, what=what, subject=f"s{n % 4}")
            await store.append_audit(row)

        async def found(subject=None, **where):
            rows = await everything(lambda limit, cursor: store.audit(limit, cursor, subject, **where), 2)
            return [row.at - NOW for row in rows]

        assert await found(who="ann") == [9, 6, 3, 0]
        assert await found(what="login") == list(reversed(range(12)))
        assert await found(what="login.failed") == [11, 10, 9, 5, 4, 3]
        assert await found(who="ann", what="login.failed") == [9, 3]
        assert await found("s1", who="ann", what="login.failed") == [9]
        for nothing in ({"who": "nobody"}, {"who": ""}, {"what": "ogin"}, {"what": "%"}, {"what": "Login"}):
            assert await found(**nothing) == []

    async def test_the_log_of_changes_grows_and_is_read_newest_first(self, store):
        for n in range(7):
            await store.append_audit(msgspec.structs.replace(AUDIT, at=NOW + n, subject=f"s{n % 2}"))
        rows = await everything(store.audit)
        assert [row.at for row in rows] == [NOW + n for n in reversed(range(7))]
        assert len({row.id for row in rows}) == 7
        assert (rows[0].before, rows[0].after, rows[0].who) == ({"a": [1]}, None, "ann")
        some = await everything(lambda limit, cursor: store.audit(limit, cursor, "s1"), 2)
        assert [row.at for row in some] == [NOW + 5, NOW + 3, NOW + 1]

    async def test_of_two_changes_of_thresholds_the_faster_wins(self, store):
        assert await store.thresholds() is None
        versions = [
            ThresholdVersion(version=1, at=NOW, who=who, overrides={"": {"delay.threshold_s": 20}})
            for who in ("ann", "bob")
        ]
        won = await asyncio.gather(*(store.put_thresholds(version, AUDIT) for version in versions))
        assert sorted(won) == [False, True]
        assert await store.thresholds() == versions[won.index(True)]
        assert len((await store.audit(5)).items) == 1

    async def test_drafts_are_listed_but_not_in_force(self, store):
        first = ThresholdVersion(version=1, at=NOW, who="ann", overrides={"shopee": {"x": None, "y": 1e-6}}, note="n")
        draft = ThresholdVersion(version=2, at=NOW, who="ann", overrides={}, draft=True)
        assert await store.put_thresholds(first, AUDIT)
        assert await store.put_thresholds(draft, AUDIT)
        assert await store.thresholds() == first
        assert await store.threshold_history(5) == [draft, first]
        assert await store.threshold_history(1) == [draft]

    async def test_what_was_done_to_one_thing_is_found_between_two_rows_apart_from_what_is_not_asked_for(self, store):
        for n, (what, subject) in enumerate(
            [("opened", "a"), ("closed", "a"), ("closed", "b"), ("opened", "a"), ("assigned", "a")]
        ):
            await store.append_audit(AuditRow(at=NOW + n, who="ann", what=what, subject=subject, after={"n": n}))
        whole = await store.audit_trail("a", 9)
        assert [row.after["n"] for row in whole] == [4, 3, 1, 0]
        assert [row.after["n"] for row in await store.audit_trail("a", 9, but=("opened", "moved"))] == [4, 1]
        assert [row.after["n"] for row in await store.audit_trail("a", 1, but=("opened",), before=whole[0].id)] == [1]
        assert [row.after["n"] for row in await store.audit_trail("a", 9, since=whole[2].id)] == [4, 3]
        assert await store.audit_trail("c", 9) == []
