"""What operators do about anomalies, one or many: the event each deed is in the log, and what a cause may be."""

from typing import Literal

from actors.anomaly import Anomaly
from actors.errors import RejectedError
from actors.events import Action

Done = Literal["acknowledged", "resolved"]
FALSE_ALARM = "false_alarm"
LONGEST_CAUSE = 2000


def action_on(anomaly: Anomaly, what: Done, *, who: str, cause: str | None, at: int) -> Action:
    """The event that tells the engine of it; `at` in ms."""
    return Action(
        platform=anomaly.platform,
        account=anomaly.account,
        at=at,
        what=what,
        conversation=anomaly.conversation,
        agent=who,
        anomaly=anomaly.id,
        cause=cause,
    )


def check_cause(cause: str | None) -> None:
    """Raises RejectedError for a cause that is too long."""
    if cause is not None and len(cause) > LONGEST_CAUSE:
        raise RejectedError(f"cause: at most {LONGEST_CAUSE} characters, not {len(cause)}")
