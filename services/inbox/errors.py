"""What the inbox refuses."""

from __future__ import annotations

from services.errors import ConflictError
from storage.records import ConversationRow


class TakenError(ConflictError):
    """Somebody was faster: `row` is the conversation as it is now, with who has it and since when."""

    def __init__(self, row: ConversationRow) -> None:
        held = f"{row.assignee} has it now" if row.assignee else "nobody has it now"
        super().__init__(f"somebody changed the conversation before: {held}; look at it, then decide again")
        self.row = row


__all__ = ["TakenError"]
