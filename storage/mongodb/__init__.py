"""The MongoDB adapter, on PyMongo's async client. Nothing outside storage/ may import pymongo.

`store.py` composes the groups of the port, one file each; `connection.py` owns the client, `schema.py` the indexes and
migrations, `flushes.py` the protocol of the one hot write, `compose.py` turns a batch into writes. Everything asked of
the server is in a subset that other servers of this protocol know too: no transactions, no text search, no pipelines in
updates. A new collection is a new entry in `schema.INDEXES` or nothing at all.
"""

from storage.mongodb.store import MongoStore

__all__ = ["MongoStore"]
