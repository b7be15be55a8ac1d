"""A worker as a process of its own: `program.py URL TOPIC GROUP PARTITIONS SOCKET`.

SIGTERM ends it in order; SIGUSR1 blocks its loop for BLOCK_S seconds. It reports ten times a second what it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from actors.thresholds import ThresholdSet
from streams.app import Runtime
from streams.bus import LocalBus
from streams.kafka.gateway import KafkaGateway
from streams.kafka.log import KafkaLog
from tests.streams.kafka.store_service import RemoteStore

BLOCK_S = 8.0
REPORT_S = 0.1


async def main(url, topic, group, partitions, socket):
    log = KafkaLog(url, topic=topic, group=group, partitions=int(partitions))
    store = RemoteStore(socket)
    gateway = KafkaGateway(log)
    runtime = Runtime(
        store=store,
        gateway=gateway,
        reader=gateway,
        broker=log.url,
        bus=LocalBus(),
        thresholds=ThresholdSet(),
        partitions=log.partitions,
    )
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, time.sleep, BLOCK_S)
    await runtime.start()
    while not stop.is_set():
        health = runtime.health()
        report = {"held": sorted(runtime.engines), "processed": health.processed, "trouble": health.trouble}
        await store.report(os.getpid(), report)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), REPORT_S)
    await runtime.stop()
    await gateway.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(name)s %(message)s")
    uvloop.run(main(*sys.argv[1:]))
