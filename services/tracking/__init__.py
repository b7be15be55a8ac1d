"""Tracking numbers in what people write: which carrier's, where they link to, how sure that is.

Pure: no I/O but reading its data once. `carriers.json` has the carriers, their formats and links; `words.json` the
words that announce a tracking number, and those that announce something else. Add a carrier: a line in
`carriers.json` and its cases in tests/services_layer/test_tracking.py. A format says what it `needs` to be believed:
`nothing` (its check digit and shape are enough), `shape` (letters that nobody else uses), a `word` for parcels near it,
or the `name` of its carrier.
"""

from services.tracking.formats import CARRIERS, Carrier, link, matching, plain
from services.tracking.recognise import Found, recognise

__all__ = ["CARRIERS", "Carrier", "Found", "link", "matching", "plain", "recognise"]
