"""The log in, effects out: frames, the engine, the persister, the Faust app and its transports.

Nobody else knows Faust. May import storage and actors.
"""
