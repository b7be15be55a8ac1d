"""What holds for Messenger and for Instagram alike, in and out: a class of tests that each of them inherits."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, ClassVar

import pytest

from actors.errors import RejectedError
from actors.events import Message, Receipt
from connectors.contract.authorising import Ask
from connectors.contract.calling import (
    ApiRequest,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    UnreachableError,
)
from connectors.contract.connector import Answer, Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.history import Window
from connectors.contract.outgoing import Outgoing, OutgoingFile
from connectors.meta.graph import proof
from tests.connectors.mutations import payload
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

SECRET, TOKEN = "s3cret", "EAAB-t0ken"
DAY_MS = 86_400_000
TEXT = "Dónde está? 🙂"
DOCUMENTED = (UnreachableError, UncertainError, DeniedError, RefusedError)
"""What asking a platform may raise; BusyError is one of the first."""
WINDOW = Window(since=1_767_225_600_000, until=1_767_312_000_000)


def posted(body: bytes, **headers: str) -> WebhookRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(method="POST", headers=named, body=body)


def file(name: str = "a.png", mime: str = "image/png", content: bytes = b"\x89PNG", url: str | None = None) -> Any:
    async def read() -> Any:
        yield content

    return OutgoingFile(name=name, mime=mime, size=len(content), digest="0", read=read, url=url)


def reply(**fields: Any) -> Outgoing:
    about: dict[str, Any] = {"conversation": "7100000000000001", "at": NOW, "last_in_at": NOW - 1_000}
    return Outgoing(id="weir-1", **(about | fields))


def error_of(code: int | None = None, status: int = 400, subcode: int | None = None, **headers: str) -> Any:
    found = {"message": f"(#{code}) no, {TOKEN}", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return answer_of({"error": {name: value for name, value in found.items() if value is not None}}, status, **headers)


async def pages_of(connector: Any, api: Any, window: Window = WINDOW) -> list[Any]:
    return [list(page) async for page in connector.history(window, api)]


class Contract:
    """`kind`: the connector; `own`: the setting that holds its id, and the id; `other`: another product's payload."""

    kind: ClassVar[Any]
    own: ClassVar[tuple[str, str]]
    other: ClassVar[tuple[str, str]]
    node: ClassVar[str]
    """Where the account is asked, with the settings of `sending`."""

    def connector(self, **settings: str) -> Any:
        about = {"app_secret": SECRET, "verify_token": "our word", **settings}
        platform = self.kind.platform
        return self.kind(
            Binding(account="acc-1", url=f"https://weir.example/webhooks/{platform}/acc-1", settings=about)
        )

    def sending(self, **settings: str) -> Any:
        return self.connector(**{"access_token": TOKEN, self.own[0]: self.own[1]} | settings)

    def parsed(self, name: str, **settings: str) -> Any:
        return self.connector(**settings).parse(posted(payload(self.kind.platform, name)))

    def sends(self, message: Any, content: Any, **body: Any) -> Any:
        about = {"recipient": {"id": message.conversation}, "messaging_type": "RESPONSE", "message": content, **body}
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        return asks("POST", f"{self.node}/messages", query=[], headers=headers, json=about)

    def said(self, text: str) -> dict[str, Any]:
        """What a message of this text is in the body."""
        raise NotImplementedError

    def conversations(self) -> dict[str, Any]:
        """A page of them that also answers who the account is."""
        told = json.loads(payload(f"{self.kind.platform}_api", "conversations"))
        return {**told, "user_id": self.own[1], "id": "24000000000000001"}

    # in

    @pytest.mark.parametrize(
        "query",
        [
            {"mode": "subscribe", "verify_token": "another word", "challenge": "1"},
            {"mode": "subscribe", "verify_token": "öur word", "challenge": "1"},
            {"mode": "subscribe", "verify_token": "", "challenge": "1"},
            {"mode": "subscribe", "challenge": "1"},
            {"mode": "unsubscribe", "verify_token": "our word", "challenge": "1"},
            {"challenge": "1"},
        ],
    )
    def test_a_challenge_is_answered_to_our_token_only(self, query):
        def asked(**about: str) -> WebhookRequest:
            return WebhookRequest(method="GET", query={f"hub.{name}": value for name, value in about.items()})

        right = asked(mode="subscribe", verify_token="our word", challenge="1158201444")
        assert self.connector().handshake(right) == Answer(body=b"1158201444", media_type="text/plain")
        with pytest.raises(SignatureError):
            self.connector().handshake(asked(**query))

    def test_what_is_no_challenge_is_no_handshake(self):
        assert self.connector().handshake(WebhookRequest(method="GET")) is None
        assert self.connector().handshake(posted(b"{}")) is None

    def test_the_signature_is_over_the_bytes_sent(self):
        body = payload(self.kind.platform, "text")
        genuine = "sha256=" + hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
        self.connector().verify(posted(body, x_hub_signature_256=genuine))
        for wrong in ("", "sha256=ü", genuine.upper(), genuine.removeprefix("sha256=")):
            with pytest.raises(SignatureError):
                self.connector().verify(posted(body, x_hub_signature_256=wrong))
        with pytest.raises(SignatureError):
            self.connector().verify(posted(body))
        with pytest.raises(SignatureError):
            self.connector().verify(posted(body + b" ", x_hub_signature_256=genuine))
        with pytest.raises(SignatureError):
            self.connector(app_secret="another").verify(posted(body, x_hub_signature_256=genuine))

    def test_an_echo_is_our_own_and_meta_holds_it(self):
        message, receipt = self.parsed("echo")
        assert isinstance(message, Message)
        assert (message.direction, message.sender.role, message.sender.id) == ("out", "agent", self.own[1])
        assert isinstance(receipt, Receipt)
        assert (receipt.message, receipt.status) == (message.message, "accepted")

    def test_what_tells_nothing_of_messages_gives_nothing(self):
        assert self.parsed("silent") == []
        about = self.kind.about
        for empty in ({}, {"object": about}, {"object": about, "entry": []}, {"object": about, "entry": [{}]}):
            assert self.connector().parse(posted(json.dumps(empty).encode())) == []

    def test_what_is_for_another_account_is_refused_with_the_reason(self):
        (refused,) = self.parsed("text", **{self.own[0]: "999"})
        assert isinstance(refused, Refused)
        assert f"another account than this channel's {self.own[0]} '999'" in refused.reason
        assert json.loads(refused.raw)["id"] == self.own[1]
        assert isinstance(self.parsed("text", **{self.own[0]: self.own[1]})[0], Message)

    def test_one_bad_item_harms_no_other(self):
        body = json.loads(payload(self.kind.platform, "text"))
        person = {"id": "7100000000000001"}
        body["entry"][0]["messaging"][:0] = ["nonsense", {"sender": person, "message": {"text": "no id"}}]
        body["entry"].insert(0, {"id": self.own[1], "messaging": "nonsense"})
        found = self.connector().parse(posted(json.dumps(body).encode()))
        assert [type(one) for one in found] == [Refused, Refused, Refused, Message]
        assert found[2].reason == "'mid' is missing or no id"

    def test_another_products_webhook_is_unreadable(self):
        with pytest.raises(UnreadableError, match="another product"):
            self.connector().parse(posted(payload(*self.other)))

    @pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"object":"x"}', b'{"entry":1}'])
    def test_a_body_that_is_none_of_its_own_is_unreadable(self, body):
        with pytest.raises(UnreadableError):
            self.connector().parse(posted(body))

    # out

    async def test_a_text_goes_to_the_person_with_the_token(self):
        message = reply(text=TEXT)
        api = ScriptedApi((self.sends(message, self.said(TEXT)), answer(f"{self.kind.platform}_api", "sent")))
        sent = await self.sending().send(message, api)
        api.finished()
        assert sent.message == "m_sent"

    async def test_without_a_token_the_channel_only_receives(self):
        with pytest.raises(RefusedError, match="access_token"):
            await self.connector().send(reply(text=TEXT), ScriptedApi())
        with pytest.raises(RefusedError, match="access_token"):
            await pages_of(self.connector(), ScriptedApi())

    async def test_a_proof_of_the_secret_goes_along_where_it_is_wanted(self):
        assert proof(SECRET, TOKEN) == hmac.digest(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hex()

        def proved(request: ApiRequest) -> bool:
            return list(request.query) == [("appsecret_proof", proof(SECRET, TOKEN))]

        api = ScriptedApi((proved, answer(f"{self.kind.platform}_api", "sent")))
        await self.sending(app_secret_proof="yes").send(reply(text=TEXT), api)
        api.finished()

    async def test_another_address_and_version_are_asked_where_they_are_set(self):
        def there(request: ApiRequest) -> bool:
            return request.url.startswith("http://127.0.0.1:9/v99.0/")

        api = ScriptedApi((there, answer(f"{self.kind.platform}_api", "sent")))
        await self.sending(api_url="http://127.0.0.1:9/", api_version="v99.0").send(reply(text=TEXT), api)
        api.finished()

    @pytest.mark.parametrize(
        ("told", "meant"),
        [
            (error_of(190, subcode=463), DeniedError),
            (error_of(190, 401, subcode=458), DeniedError),
            (error_of(613), BusyError),
            (error_of(4, 403), BusyError),
            (error_of(80_006, retry_after="7"), BusyError),
            (error_of(10, subcode=2_018_278), RefusedError),
            (error_of(100, subcode=2_018_001), RefusedError),
            (error_of(551), RefusedError),
            (error_of(200, 403), RefusedError),
            (error_of(368), RefusedError),
            (error_of(100, 200), RefusedError),
            (error_of(1, 500), UncertainError),
            (error_of(2, 503), UncertainError),
            (error_of(1200), UncertainError),
            (error_of(None, 500), UncertainError),
            (error_of(None, 401), DeniedError),
            (answer_of(b"<html>", 502), UncertainError),
            (answer_of(b"<html>", 200), UncertainError),
            (answer_of({}, 200), UncertainError),
            (answer_of({}, 403), RefusedError),
            (answer_of({}, 429), BusyError),
            (UnreachableError("no route"), UnreachableError),
            (UncertainError("timed out"), UncertainError),
        ],
    )
    async def test_what_an_answer_means(self, told, meant):
        api = ScriptedApi((lambda request: request.method == "POST", told))
        with pytest.raises(meant) as raised:
            await self.sending().send(reply(text=TEXT), api)
        assert type(raised.value) is meant
        assert TOKEN not in repr(raised.value)
        api.finished()

    async def test_a_token_that_ran_out_was_not_taken_away(self):
        for subcode, revoked in ((None, False), (463, False), (458, True), (460, True)):
            with pytest.raises(DeniedError) as denied:
                await self.sending().send(reply(text=TEXT), EndlessApi(error_of(190, subcode=subcode)))
            assert denied.value.revoked is revoked

    async def test_the_wait_that_is_told_is_kept(self):
        with pytest.raises(BusyError) as busy:
            await self.sending().send(reply(text=TEXT), EndlessApi(error_of(613, retry_after="7")))
        assert busy.value.retry_after == 7.0

    async def test_people_may_answer_for_seven_days_where_the_app_may(self):
        late = reply(text=TEXT, last_in_at=NOW - 2 * DAY_MS)
        assert [one.code for one in self.sending().objections(late, NOW)] == ["window_closed"]
        allowed = self.sending(human_agent="yes")
        assert allowed.objections(late, NOW) == []
        tagged = self.sends(late, self.said(TEXT), messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
        api = ScriptedApi((tagged, answer(f"{self.kind.platform}_api", "sent")))
        await allowed.send(late, api)
        in_time = reply(text=TEXT)
        api = ScriptedApi((self.sends(in_time, self.said(TEXT)), answer(f"{self.kind.platform}_api", "sent")))
        await allowed.send(in_time, api)
        later = reply(text=TEXT, last_in_at=NOW - 8 * DAY_MS)
        assert [one.code for one in allowed.objections(later, NOW)] == ["window_closed"]
        with pytest.raises(RejectedError, match="human_agent"):
            self.sending(human_agent="perhaps")

    async def test_a_text_and_a_file_are_two_messages(self):
        both = reply(text=TEXT, files=[file(url="https://weir.example/f/1")])
        assert [one.code for one in self.sending().objections(both, NOW)] == ["text_with_files"]
        for wrong in (both, reply(text=" ")):
            with pytest.raises(RefusedError):
                await self.sending().send(wrong, ScriptedApi())

    async def test_turning_pages_ends_when_a_cursor_comes_again(self):
        api = EndlessApi(answer_of(self.conversations()))
        found = await pages_of(self.sending(), api, Window(since=0, until=2**42))
        assert len(found) == 2
        assert len(api.requests) <= 3

    async def test_a_conversation_that_cannot_be_read_harms_no_other(self):
        told = self.conversations()
        told["data"].insert(0, "nonsense")
        told["data"][1]["messages"]["data"].insert(0, {"id": "m_x", "created_time": "soon"})
        del told["paging"]["next"]
        (found,) = await pages_of(self.sending(), EndlessApi(answer_of(told)))
        assert len([one for one in found if isinstance(one, Refused)]) == 2
        assert any(isinstance(one, Message) for one in found)

    async def test_history_that_says_nothing_is_asked_for_again(self):
        for nothing in (answer_of(b"<html>"), answer_of({"data": "x"}), answer_of([])):
            with pytest.raises(UncertainError):
                await pages_of(self.sending(), EndlessApi(nothing))

    async def test_the_dialog_needs_the_apps_id(self):
        with pytest.raises(RefusedError, match="app_id"):
            self.connector().authorise_url(Ask(at=0, state="s", redirect="https://weir.example/r"))
