"""What Locust is given: `locust -f loadtest/locust/locustfile.py --host URL --token-file FILE`.

`python -m loadtest` starts it, headless or with Locust's UI, with a product of its own when no `--host` is given.
"""

from loadtest.locust.course import SaleShape
from loadtest.locust.screens import AgentUser, OperatorUser
from loadtest.locust.senders import BatchUser, MarketplaceUser

__all__ = ["AgentUser", "BatchUser", "MarketplaceUser", "OperatorUser", "SaleShape"]
