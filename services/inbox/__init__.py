"""The inbox that people answer in: its list, the desk, what open screens are told.

One file for each subject; `live/` is what goes on right now. Add one: a file here, its line in
`services/parts.py`, its wiring in `weir/roles/`. docs/inbox.md is the contract between the parts.
"""
