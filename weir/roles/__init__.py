"""What a process can be, one file per role: each puts open parts together, starts and stops them in order.

`alone.py` does everything itself; `worker.py`, `web.py` and `connect.py` share nothing but log, store and bus;
`both.py` is a worker and a web in one process, for `weir serve` beside others. `front.py` and `engines.py` are what
several roles have in common, `tasks.py` what runs beside them.
"""
