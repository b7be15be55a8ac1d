"""Amazon: buyers' messages come as mails of its relay and are answered by mail; orders' changes may be pushed.

`relay.py` reads the relay's mails, `orders.py` what Amazon notifies of, `queue.py` draws that from a queue, with
requests that `signing.py` signs, `messaging.py` asks the Selling Partner API for the messages that a seller may begin;
`connector.py` is the connector, a mailbox (`connectors.email`) that knows all this.
"""
