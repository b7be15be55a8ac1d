"""Replies prepared for many: kept with their wordings, chosen for a conversation, filled in with what is known of it.

`templates.py` keeps them, `choosing.py` finds the wording that fits, `variables.py` fills it in. A further variable:
its name and where its value comes from in `variables.py`, and a line in docs/inbox.md.
"""
