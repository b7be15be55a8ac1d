"""The log on Kafka, and the Faust transport that reads it.

`log.py` is the topic as the rest of Weir sees it; `sink.py` writes frames, `reader.py` reads back, `gateway.py` puts
both together; `transport.py`, `consumer.py` and `producer.py` are what Faust asks of a broker, `unpack.py` takes
records out of fetched batches. Any number of processes share a topic; partitions move between them.
"""
