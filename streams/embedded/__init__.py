"""The log in one SQLite file, and the Faust transport that reads it (`embedded://path`).

`log.py` is the log as the rest of Weir sees it; `writer.py` its one writing thread (group commit), `reader.py` its
one reading thread, `schema.py` the file, `damage.py` what is done with records the disk has spoilt. `transport.py`,
`consumer.py` and `producer.py` are what Faust asks of a broker. One process owns a log.
"""
