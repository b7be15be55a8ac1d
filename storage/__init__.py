"""One protocol (`ports.py`), its adapters in folders beside it. Nobody else knows a database. May import actors only.

A new adapter is a folder that implements `ports.Store` and passes tests/storage/contract.py.
"""
