"""What is older than its retention is forgotten, and the audit still proves the rest."""

from actors.events import Message
from services.ledger import audit
from weir.config import Config
from weir.upkeep import DAY_MS, PRUNED, Upkeep
from weir.wiring import running


def message(number, sent_at):
    return Message(
        platform="ebay",
        account="shop",
        conversation=f"c{number}",
        message=f"m{number}",
        sent_at=sent_at,
        direction="in",
    )


async def test_old_data_is_forgotten_and_the_audit_still_holds(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        now = weir.gateway.now()
        for number in range(5):
            await weir.gateway.submit([message(number, now)])
        await weir.runtime.settled()
        later = now + 100 * DAY_MS
        upkeep = Upkeep(store=weir.store, log=weir.log, accounts=weir.accounts, now=lambda: later, retention_days=90)
        await upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1") is None
        [row] = (await weir.store.audit(10, subject=PRUNED)).items
        assert row.after["rows"] > 0
        await weir.gateway.submit([message(9, now)])
        await weir.runtime.settled()
        result = await audit(weir.store, weir.gateway)
        assert result.problems == []
        await upkeep.once()


async def test_whoever_lost_the_turn_forgets_nothing(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        now = weir.gateway.now()
        await weir.gateway.submit([message(1, now)])
        await weir.runtime.settled()
        later = now + 100 * DAY_MS
        upkeep = Upkeep(store=weir.store, log=weir.log, accounts=weir.accounts, now=lambda: later, retention_days=90)
        await upkeep.once(lambda: False)
        assert await weir.store.message("ebay/shop/c1", "m1")
        await upkeep.once(lambda: True)
        assert await weir.store.message("ebay/shop/c1", "m1") is None


async def test_what_is_young_stays(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        await weir.gateway.submit([message(1, weir.gateway.now())])
        await weir.runtime.settled()
        await weir.upkeep.once()
        assert await weir.store.message("ebay/shop/c1", "m1")
        assert await weir.store.minutes(0, 2**40)
        assert (await weir.store.audit(10, subject=PRUNED)).items == []
