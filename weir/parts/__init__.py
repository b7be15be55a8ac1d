"""What the settings name, opened: log, store, live bus; each file chooses between the built-in part and a service.

A new kind of log, store or bus is one more branch in its file here. Adapters are imported where they are chosen: a
command pays only for what it uses.
"""
