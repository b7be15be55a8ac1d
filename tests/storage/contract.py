"""What every adapter of the storage port must do. A test class inherits `StoreContract` and gives a fixture `store`."""

from __future__ import annotations

from tests.storage.contract_accounts import AccountContract
from tests.storage.contract_bindings import BindingContract
from tests.storage.contract_engine import EngineContract
from tests.storage.contract_health import HealthContract
from tests.storage.contract_inbox import InboxContract
from tests.storage.contract_mutes import MuteContract
from tests.storage.contract_processes import ProcessContract
from tests.storage.contract_search import SearchContract


class StoreContract(
    EngineContract,
    InboxContract,
    SearchContract,
    HealthContract,
    ProcessContract,
    MuteContract,
    BindingContract,
    AccountContract,
):
    """The whole port; the fixture `store` must be open and empty."""
