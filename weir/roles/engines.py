"""The engines of one process, and what is done for a whole deployment by one process at a time."""

from pathlib import Path

from services.labels.book import LabelsInForce
from services.labels.stamping import Stamping
from services.people.accounts import Accounts
from services.tuning.thresholds import Thresholds
from streams.app import Runtime
from streams.coordination.duty import Duty
from streams.embedded.log import EmbeddedLog
from weir.archive import FolderArchive
from weir.parts.files import made_files
from weir.parts.opened import Parts
from weir.policies import policies_of
from weir.upkeep import Upkeep


def runtime_of(parts: Parts, thresholds: Thresholds, labels: LabelsInForce) -> Runtime:
    """The runtime; thresholds and labels that come into force later reach it too."""
    config = parts.config
    runtime = Runtime(
        store=parts.store,
        gateway=parts.gateway,
        reader=parts.gateway,
        broker=parts.log.url,
        bus=parts.live.bus,
        thresholds=thresholds.current(),
        policies=policies_of(config.policies),
        partitions=config.partitions,
        enrich=Stamping(lambda: labels.labeller),
    )
    thresholds.on_change(runtime.set_thresholds)
    return runtime


def upkeep_of(parts: Parts, accounts: Accounts) -> Upkeep:
    """What has to be done now and then. Kafka forgets by itself, as the topic's settings say.

    Raises ConfigurationError when the archive's folder cannot be used.
    """
    folder = parts.config.archive_dir
    return Upkeep(
        store=parts.store,
        log=parts.log if isinstance(parts.log, EmbeddedLog) else None,
        accounts=accounts,
        now=parts.gateway.now,
        retention_days=parts.config.retention_days,
        files=made_files(parts.config, parts.store),
        archive=FolderArchive(Path(folder), parts.gateway.now) if folder else None,
    )


def duty_of(parts: Parts, upkeep: Upkeep) -> Duty:
    """The same, by whichever process holds the lock."""
    return Duty(parts.live.locks, "upkeep", lambda lease: upkeep.run(lease.valid))
