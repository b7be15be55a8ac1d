"""Customers over all channels: who they are, which of them are one person, what they bought, when it is at their place.

A contact is one person as one platform knows them (`storage/contact_records.py`); a `Person` is a contact with all that
people merged into it. `learning.py` keeps contacts as conversations and orders come, `evidence.py` finds who might be
the same, `people.py` merges and takes back, `context.py` puts together what is shown beside a conversation. E-mail
addresses and telephone numbers are stored sealed, and found by keyed digests (`contact_data.py`).
"""
