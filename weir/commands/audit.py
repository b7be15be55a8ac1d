"""`weir audit`: the ledger and the store held against the log."""

import typer
from msgspec import to_builtins

from services.ledger import LedgerAudit, audit
from storage.ports import Store
from weir.commands.console import (
    EXIT_FAILED,
    ConfigFile,
    DataDir,
    Json,
    configured,
    progress,
    say,
    say_json,
    say_table,
    told_plainly,
)
from weir.commands.stores import with_store
from weir.config import EMBEDDED, Config


@told_plainly
def audit_ledger(*, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Prove that nothing is missing and nothing is double; exit code 1 otherwise. Weir may run meanwhile."""
    result = audited(configured(config, {"data_dir": data_dir}))
    if as_json:
        say_json({"ok": not result.problems, **to_builtins(result)})
    else:
        _show(result)
    if result.problems:
        raise typer.Exit(EXIT_FAILED)


def audited(settings: Config) -> LedgerAudit:
    """The audit of what the settings name. Raises ConfigurationError when there is none."""
    from weir.parts.reading import opened_reader  # noqa: PLC0415 # the streams take long to import: only this pays

    async def work(store: Store) -> LedgerAudit:
        async with opened_reader(settings) as log:
            with progress("auditing") as show:
                return await audit(
                    store,
                    log,
                    lambda done, of: show(100 * done // max(of, 1), f"{done:,} records"),
                    holes=settings.broker != EMBEDDED,
                )

    return with_store(settings, work)


def _show(result: LedgerAudit) -> None:
    say_table(
        ("partition", "log from", "to", "applied", "events", "waiting"),
        [(p.partition, p.start, p.end - 1, p.applied, p.entries, p.waiting) for p in result.partitions],
    )
    say()
    say_table(
        ("channel", "in log", "accepted", "stored", "duplicates", "rejected", "messages in log", "in store"),
        [
            (c.channel, c.logged, c.accepted, c.stored, c.duplicates, c.rejected, c.messages, c.held)
            for c in result.channels
        ],
    )
    say()
    for note in result.notes:
        say(f"note: {note}")
    for problem in result.problems:
        say(f"PROBLEM: {problem}")
    if not result.problems:
        say(f"The ledger balances: {result.entries:,} events in the log, none missing, none double.")
