"""The pure core: what happens to a conversation, a channel, a deadline.

No I/O, no clock, no randomness: time is a field of the input, effects are values handed back. Imports only the pure
parts of the standard library and msgspec. Add a detector: one new file in actors/detectors/ and one line in DETECTORS.
"""
