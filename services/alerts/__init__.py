"""Telling people: whom a message is to reach, by which way, whether it did, and who is told when it did not.

`deciding.py` has the rules (no I/O), `covering.py` whom a conversation concerns that nobody has, `alerts.py` notes whom
a message is to reach and what their screens say of it, `wishes.py` is how each person wants to be told. Add a way: its
kind in `storage.alert_records.Way`, its check in `wishes.py`, its words in the catalogue.
"""
