"""What every adapter of the storage port must do. A test class inherits `StoreContract` and gives the fixtures
`store` and `second`, another process's store on the same database.
"""

from __future__ import annotations

from tests.storage.contract_accounts import AccountContract
from tests.storage.contract_alerts import AlertContract
from tests.storage.contract_bindings import BindingContract
from tests.storage.contract_contacts import ContactContract
from tests.storage.contract_desk import DeskContract
from tests.storage.contract_engine import EngineContract
from tests.storage.contract_health import HealthContract
from tests.storage.contract_identities import IdentityContract
from tests.storage.contract_inbox import InboxContract
from tests.storage.contract_jobs import JobContract
from tests.storage.contract_labels import LabelContract
from tests.storage.contract_message_search import MessageSearchContract
from tests.storage.contract_mutes import MuteContract
from tests.storage.contract_naming import NamingContract
from tests.storage.contract_outbox import OutboxContract
from tests.storage.contract_processes import ProcessContract
from tests.storage.contract_search import SearchContract
from tests.storage.contract_shop_orders import ShopOrderContract
from tests.storage.contract_sweeps import SweepContract
from tests.storage.contract_views import ViewContract
from tests.storage.contract_workload import WorkloadContract
from tests.storage.contract_writing import WritingContract


class StoreContract(
    EngineContract,
    InboxContract,
    DeskContract,
    SearchContract,
    MessageSearchContract,
    HealthContract,
    ProcessContract,
    MuteContract,
    BindingContract,
    AccountContract,
    OutboxContract,
    JobContract,
    SweepContract,
    ShopOrderContract,
    IdentityContract,
    NamingContract,
    ViewContract,
    AlertContract,
    ContactContract,
    WritingContract,
    LabelContract,
    WorkloadContract,
):
    """The whole port; the fixture `store` must be open and empty."""
