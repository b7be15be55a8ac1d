"""Search: what somebody typed, understood (`query.py`), asked of the store (`search.py`), cut to what is shown.

Nothing here has a horizon: every message held is looked through, however old. What stops early says `bounded`.
Add a qualifier: a line in `query.QUALIFIERS`, a field of `Asked`, and its cases in
tests/services_layer/test_search_query.py.
"""
