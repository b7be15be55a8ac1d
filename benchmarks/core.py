"""How fast the core is: events decoded, and events decoded and applied, over the same frames.

Frames are the gateway's: 250 events of one of 8 partitions, applied in the order in which they fill up.

`python -m benchmarks.core [--messages N]`
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import msgspec

from actors.intake import parse_event
from actors.thresholds import ThresholdSet
from benchmarks import traffic
from benchmarks.figures import Figure, pretty, rounds, seconds
from storage.records import PartitionMark
from streams.engine import Engine
from streams.frames import assemble, decode_frame, encode_entry
from streams.topics import PARTITIONS
from ui.garbage import MIDDLE, OLD, YOUNG

MESSAGES = 60_000


def measure(messages: int = MESSAGES) -> list[Figure]:
    """Every figure of the core, with the garbage collector set as the product sets it."""
    with collecting_as_the_product():
        return _measure(messages)


@contextmanager
def collecting_as_the_product() -> Iterator[None]:
    """What is in memory now is never looked at again; new records are looked at as seldom as in the product."""
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _measure(messages: int) -> list[Figure]:
    lines = traffic.lines(messages)
    json_frames = traffic.frames_of(lines)
    rows = traffic.frames_by_partition(messages, PARTITIONS)
    frames = [(partition, assemble(0, [encode_entry(e) for e in group])) for partition, group in rows]
    count = len(lines)
    figures: list[Figure] = []

    def rate(name: str, work: object, note: str = "") -> float:
        value, spread = rounds(lambda: count / seconds(work))
        figures.append(Figure(name=name, value=value, unit="events/s", spread=spread, note=note))
        return value

    decode = rate("decode alone, MessagePack frames", lambda: _decode(frames), f"{count:,} events")
    both = rate("decode + apply, MessagePack frames", lambda: _apply(frames))
    decode_json = rate("decode alone, JSON lines", lambda: _decode_json(json_frames))
    both_json = rate("decode + apply, JSON lines", lambda: _apply_json(json_frames))
    figures.append(Figure(name="decode + apply / decode, MessagePack", value=both / decode, unit=""))
    figures.append(Figure(name="decode + apply / decode, JSON", value=both_json / decode_json, unit=""))
    saved, spread = rounds(lambda: count / seconds(lambda: _apply(frames, take_every=20_000 // traffic.FRAME_EVENTS)))
    figures.append(
        Figure(
            name="decode + apply + batches for the store",
            value=saved,
            unit="events/s",
            spread=spread,
            note="states and effects handed out every 20,000 events",
        )
    )
    return figures


def digest(messages: int = MESSAGES) -> str:
    """A fingerprint of every anomaly found: two runs that did the same work have the same one."""
    engine = _engine()
    found = {}
    for group in traffic.frames_of(traffic.events(messages)):
        for entry in group:
            engine.apply_entry(entry)
        for anomaly in engine.effects.anomalies:
            found[anomaly.id] = anomaly
        engine.effects.clear()
    return sha256(msgspec.json.encode(sorted(found.values(), key=lambda a: a.id), order="deterministic")).hexdigest()


def _engine() -> Engine:
    return Engine(0, ThresholdSet(), PartitionMark(partition=0))


def _decode(frames: list[tuple[int, bytes]]) -> None:
    for _, data in frames:
        decode_frame(data)


def _apply(frames: list[tuple[int, bytes]], take_every: int = 0) -> None:
    engines = [_engine() for _ in range(PARTITIONS)]
    for number, (partition, data) in enumerate(frames):
        engine = engines[partition]
        frame = decode_frame(data)
        engine.apply(number, frame.wall, frame.entries)
        if not take_every:
            engine.effects.clear()
        elif number % take_every == take_every - 1:
            for each in engines:
                each.take(0)


def _decode_json(frames: list[tuple[bytes, ...]]) -> None:
    for group in frames:
        for line in group:
            parse_event(line, need_at=True)


def _apply_json(frames: list[tuple[bytes, ...]]) -> None:
    engine = _engine()
    for number, group in enumerate(frames):
        engine.apply(number, 0, [parse_event(line, need_at=True) for line in group])
        engine.effects.clear()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    messages = parser.parse_args().messages
    for figure in measure(messages):
        print(f"{figure.name:<45} {pretty(figure.value):>12} {figure.unit}")
    print(f"digest {digest(messages)}")


if __name__ == "__main__":
    main()
