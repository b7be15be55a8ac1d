"""What a person did to one anomaly: acknowledged it, or resolved it by hand."""

from __future__ import annotations

from msgspec.structs import replace

from actors.anomaly import resolved
from actors.effects import Effects
from actors.events import Action
from actors.state import Watched


def act_on_anomaly(state: Watched, action: Action, now: int, out: Effects) -> bool:
    """Carry out an action on the anomaly it names; False when that is not open here (any more)."""
    label = next((label for label, anomaly in state.open.items() if anomaly.id == action.anomaly), None)
    if label is None:
        return False
    anomaly = state.open[label]
    match action.what:
        case "acknowledged":
            changed = replace(anomaly, status="acknowledged", acknowledged_by=action.agent, acknowledged_at=now)
            state.open[label] = changed
        case "resolved":
            changed = replace(
                resolved(anomaly, max(now, anomaly.opened_at), "manual"),
                cause=action.cause,
                acknowledged_by=action.agent,
            )
            del state.open[label]
        case "opened" | "closed" | "reopened":
            return False
    out.anomalies.append(changed)
    return True
