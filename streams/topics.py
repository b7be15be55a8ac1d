"""Names on the log: the one topic, the one consumer group, how many partitions."""

TOPIC = "weir-events"
GROUP = "weir"
PARTITIONS = 8
