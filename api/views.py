"""Records as the API shows them: times as RFC 3339 in UTC with milliseconds, secrets left out."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.responses import Response

from actors import times
from actors.anomaly import Anomaly, record
from services.arrivals.refusals import Refusal
from services.health.mutes import is_in_force
from services.masking import mask_text, readable
from services.people.permissions import TABLE, Caller
from services.sweeps.resyncs import Resynced
from storage.inbox_records import Team
from storage.records import (
    AuditRow,
    ConversationRow,
    DeadLetter,
    Mute,
    Page,
    ThresholdVersion,
    Token,
    User,
)

Row = TypeVar("Row")
View = dict[str, Any]
MOST_RAW_SHOWN = 4096
_ENCODER = msgspec.json.Encoder(enc_hook=str)


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(_ENCODER.encode(value), status_code=status, media_type="application/json", headers=headers)


def page_answer(page: Page[Row], view: Callable[[Row], View]) -> Response:
    """One page of a list as JSON."""
    return answer({"items": [view(row) for row in page.items], "next": page.next})


def rfc3339(ms: int | None) -> str | None:
    """A time in ms as RFC 3339; None stays None."""
    return None if ms is None else times.rfc3339(ms)


def anomaly_view(anomaly: Anomaly) -> View:
    """An anomaly as in a replay's report."""
    return record(anomaly)


def resync_view(found: Resynced) -> View:
    """How a re-sync stands; counts only when it is done."""
    view = {name: getattr(found, name) for name in found.__struct_fields__}
    view["since"], view["until"] = rfc3339(found.since), rfc3339(found.until)
    return {name: value for name, value in view.items() if value is not None}


def conversation_view(row: ConversationRow) -> View:
    """A conversation as the inbox lists it."""
    view = {name: getattr(row, name) for name in row.__struct_fields__}
    for name in ("first_at", "last_at", "last_sent_at", "sla_due_at", "assigned_at", "snoozed_until"):
        view[name] = rfc3339(view[name])
    return view


def user_view(user: User) -> View:
    """A person, without the hash."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "disabled": user.disabled,
        "lang": user.lang,
        "theme": user.theme,
        "langs": user.langs,
        "capacity": user.capacity,
        "created_at": rfc3339(user.created_at),
    }


def token_view(token: Token) -> View:
    """A token, without secret or digest."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_by": token.created_by,
        "created_at": rfc3339(token.created_at),
        "expires_at": rfc3339(token.expires_at),
        "revoked_at": rfc3339(token.revoked_at),
        "last_used_at": rfc3339(token.last_used_at),
    }


def audit_view(row: AuditRow) -> View:
    """One change."""
    return {
        "id": row.id,
        "at": rfc3339(row.at),
        "who": row.who,
        "what": row.what,
        "subject": row.subject,
        "before": row.before,
        "after": row.after,
    }


def dead_letter_view(letter: DeadLetter) -> View:
    """A dead letter with the start of its bytes as text, secrets and personal data masked."""
    return {
        "id": dead_letter_id(letter),
        "partition": letter.partition,
        "offset": letter.offset,
        "index": letter.index,
        "at": rfc3339(letter.at),
        "channel": letter.channel,
        "reason": letter.reason,
        "raw": readable(letter.raw)[:MOST_RAW_SHOWN],
        "size": len(letter.raw),
        "resolved_at": rfc3339(letter.resolved_at),
    }


def refusal_view(one: Refusal) -> View:
    """A refused entry with the start of its bytes as text, secrets and personal data masked."""
    return {
        "id": f"{one.partition}-{one.offset}-{one.index}",
        "at": rfc3339(one.at),
        "platform": one.platform,
        "account": one.account,
        "reason": mask_text(one.reason),
        "raw": readable(one.raw)[:MOST_RAW_SHOWN],
        "size": len(one.raw),
    }


def dead_letter_id(letter: DeadLetter) -> str:
    """Its place in the log: partition-offset-index."""
    return f"{letter.partition}-{letter.offset}-{letter.index}"


def mute_view(mute: Mute, now: int) -> View:
    """A mute, and whether it holds at `now` (ms)."""
    return {
        "id": mute.id,
        "kind": mute.kind,
        "platform": mute.platform,
        "account": mute.account,
        "reason": mute.reason,
        "who": mute.who,
        "at": rfc3339(mute.at),
        "until": rfc3339(mute.until),
        "ended_at": rfc3339(mute.ended_at),
        "in_force": is_in_force(mute, now),
    }


def threshold_version_view(version: ThresholdVersion) -> View:
    """One version of the thresholds, whole."""
    return {
        "version": version.version,
        "at": rfc3339(version.at),
        "who": version.who,
        "note": version.note,
        "draft": version.draft,
        "overrides": version.overrides,
    }


def team_view(team: Team) -> View:
    """A team."""
    return {
        "id": team.id,
        "name": team.name,
        "members": team.members,
        "channels": team.channels,
        "routing": team.routing,
        "created_at": rfc3339(team.created_at),
        "version": team.version,
    }


def caller_view(caller: Caller) -> View:
    """Who asks and what he may do."""
    return {
        "name": caller.name,
        "role": caller.role,
        "via": caller.via,
        "permissions": sorted(TABLE[caller.role]),
    }
