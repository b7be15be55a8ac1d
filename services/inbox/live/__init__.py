"""What open inboxes are told, as it happens: one follower a process, one `Screen` an open inbox.

`frames.py` has what the two sides say, `changes.py` what changed since when, `screens.py` what waits to be told to one
screen, `stays.py` who has which conversation before him, `follower.py` reads the live bus and hands out. Losing a
message here loses no data: a screen that missed something is told so, and reads anew. May import what `services` may;
no route and no page.
"""
