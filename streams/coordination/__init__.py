"""What processes that share their work must agree on: who is present, how often somebody may try, whose turn it is.

One file per port, each with its in-process adapter: `presence.py`, `rate_limits.py`, `locks.py`; `duty.py` runs a
piece of work in one process at a time. The adapters for several processes live in streams/redis; each port has one
contract suite in tests/streams/redis that both pass. May import actors.
"""
