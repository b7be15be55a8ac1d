"""One protocol (`ports.py`), its adapters in folders beside it. Nobody else knows a database. May import actors only."""
