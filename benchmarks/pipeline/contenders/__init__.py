"""One file per contender: `run(task, job)` reads a topic to its end and hands every record to the job.

Each is written as its own documentation advises for speed, batches where it offers batches, and committed to its group
where it has groups. Only `weir` knows more of Weir than the job.
"""
