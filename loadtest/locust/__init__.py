"""The load test's users and its course, run by Locust. Only Locust's own process imports this: it patches the world.

`locustfile.py` is what Locust is given. One file per kind of user: `senders.py` (platforms and aggregators),
`screens.py` (agents and operators, each with a page open over its WebSocket). A new kind of user is a class there and
a name in `locustfile.py`.
"""
