"""How load spreads over partitions and workers, and what a change of workers costs: seeded simulations, tables.

May import actors only, as all of `loadtest`. `python -m loadtest.capacity` prints the tables of docs/scaling.md.
"""
