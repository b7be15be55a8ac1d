"""The rulings once more, told in the plainest way: everything is kept, everything is looked at again for every event.

It shares no code with the product; where the two differ on a random story, one of them breaks a ruling. It covers what
the default policy and the thresholds of `tests.streams.stories.SETTINGS` meet. Times are milliseconds.
"""
