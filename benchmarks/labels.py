"""How right languages and labels are, and what they cost a message.

`python -m benchmarks labels --data FOLDER`, or `python -m benchmarks.labels FOLDER`. FOLDER holds the public sets that
docs/labels.md lists; what is held out of training is examined. A label is right when it is the row's own or one that
the row allows; recall asks for the row's own.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from actors.effects import Effects, MessageStored
from actors.events import Message
from benchmarks import traffic
from benchmarks.figures import Figure, pretty, rounds
from benchmarks.label_peers import Guesser, peers
from services.labels.labelling import Labeller
from services.labels.language import guess_language
from services.labels.rules import Matcher
from services.labels.stamping import Stamping
from services.labels.training.samples import Sample, samples, transcripts
from services.labels.words import LANGUAGES, OTHER, packaged
from storage.records import Batch, PartitionMark

SIMULATED = 20_000
MICRO = 1_000_000
_FILLED_IN = re.compile(r"%\{\w+\}|&\w+;|<[^>]+>")


class Written(Struct, frozen=True):
    """A text of a known language; `kind` is how long it is or where it comes from."""

    text: str
    lang: str
    kind: str


def measure(folder: Path) -> list[Figure]:
    """Every figure; what `folder` does not hold is left out."""
    found: list[Figure] = []
    if texts := list(written(folder)):
        found += languages(texts)
    rows = [row for row in (*samples(folder), *transcripts(folder)) if row.side == "test"]
    if rows:
        found += labels(rows)
    return found + costs([text.text for text in texts] or [row.text for row in rows])


def written(folder: Path) -> Iterator[Written]:
    """Sentences, pairs of words and single words in 22 languages; short phrases of shops in twelve."""
    for row in _rows(folder / "language_id" / "texts.csv"):
        yield Written(row["text"], row["lang"], row["kind"])
    for row in _rows(folder / "shop_phrases_parallel" / "phrases.csv"):
        for column, text in row.items():
            told = _FILLED_IN.sub("", text or "").strip()
            if column != "key" and len(told) > 2:
                yield Written(told, column.partition("-")[0], "shop phrase")


def languages(texts: Sequence[Written]) -> list[Figure]:
    """How many are right, by kind and by language, ours and others'."""
    known = {text.lang for text in texts}
    ours: Guesser = lambda text: guess.lang if (guess := guess_language(text)) else None  # noqa: E731 # one of several
    found: list[Figure] = []
    ways = {"Weir": ours, **peers(known, [text.lang for text in texts])}
    guesses = {name: [guesser(text.text) for text in texts] for name, guesser in ways.items()}
    groups: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        groups[text.kind].append(place)
    groups["sentences but Malay"] = [n for n in groups["sentence"] if texts[n].lang != "ms"]
    groups["all of these"] = list(range(len(texts)))
    for group, places in groups.items():
        for name, guessed in guesses.items():
            right = sum(guessed[place] == texts[place].lang for place in places)
            note = f"{len(places):,} texts" if name == "Weir" else ""
            if name == "Weir" and "Malay" in group:
                note += "; what the set calls Malay is Indonesian in its words"
            found.append(Figure(name=f"language, {group}: {name}", value=right / len(places), unit="right", note=note))
    sure = [place for place, text in enumerate(texts) if (guess := guess_language(text.text)) and guess.sure]
    right = sum(guesses["Weir"][place] == texts[place].lang for place in sure)
    note = f"{len(sure) / len(texts):.0%} of all"
    found.append(Figure(name="language, where Weir is sure", value=right / len(sure), unit="right", note=note))
    return [*found, *_by_language(texts, guesses["Weir"])]


def _by_language(texts: Sequence[Written], guessed: Sequence[str | None]) -> list[Figure]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        if text.kind == "sentence":
            places[text.lang].append(place)
    return [
        Figure(
            name=f"language, sentences in {lang}",
            value=sum(guessed[place] == lang for place in some) / len(some),
            unit="right",
        )
        for lang, some in sorted(places.items())
    ]


def labels(rows: Sequence[Sample]) -> list[Figure]:
    """Precision and recall of the rules alone and with the model, by set."""
    matchers = {lang: Matcher(packaged(lang)) for lang in LANGUAGES}
    labeller = Labeller()
    ways: dict[str, Callable[[Sample], tuple[str, ...]]] = {
        "rules": lambda row: matchers[row.lang].find(row.text).labels,
        "rules and model": lambda row: labeller.label(row.text, row.lang).labels,
    }
    found: list[Figure] = []
    for source in dict.fromkeys(row.source for row in rows):
        some = [row for row in rows if row.source == source]
        for name, way in ways.items():
            given = [way(row) or (OTHER,) for row in some]
            right = sum(
                label in {row.label, *row.also_ok} for row, got in zip(some, given, strict=True) for label in got
            )
            hit = sum(row.label in got for row, got in zip(some, given, strict=True))
            title = f"labels, {source}: {name}"
            note = f"{len(some):,} texts"
            precision = right / sum(map(len, given))
            found += [
                Figure(name=f"{title}, precision", value=precision, unit="", note=note),
                Figure(name=f"{title}, recall", value=hit / len(some), unit=""),
            ]
    return found


def costs(texts: Sequence[str]) -> list[Figure]:
    """Microseconds of the processor: a text that was never seen; an event of a sale, whose texts repeat."""
    labeller = Labeller()
    labeller.label("warm up", None)

    def fresh() -> float:
        labeller.forget()
        guess_language.cache_clear()
        return busy(lambda: [labeller.label(text) for text in texts]) / len(texts) * MICRO

    alone, spread = rounds(fresh)
    batch = Batch(mark=PartitionMark(partition=0, version=1), effects=Effects())
    events = traffic.events(SIMULATED)
    messages = [event for event in events if isinstance(event, Message)]
    batch.effects.messages.extend(MessageStored(f"k/{m.account}/{m.conversation}", m.at or 0, m) for m in messages)
    stamping = Stamping(lambda: labeller)

    def sale() -> float:
        labeller.forget()
        guess_language.cache_clear()
        return busy(lambda: asyncio.run(_stamped(stamping, batch))) / len(events) * MICRO

    each, each_spread = rounds(sale)
    return [
        Figure(name="a text never seen before", value=alone, unit="µs", spread=spread, note=f"{len(texts):,} texts"),
        Figure(
            name="an event of a sale",
            value=each,
            unit="µs",
            spread=each_spread,
            note=f"{len(events):,} events, {len(messages):,} of them messages; nothing remembered at the start",
        ),
    ]


def busy(work: Callable[[], object]) -> float:
    """Seconds of the processor that a piece of work takes, whatever else runs on the machine."""
    began = time.process_time()
    work()
    return time.process_time() - began


async def _stamped(stamping: Stamping, batch: Batch) -> None:
    await stamping(batch)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    if file.exists():
        with file.open(encoding="utf-8", newline="") as rows:
            yield from csv.DictReader(rows)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for figure in measure(parser.parse_args().folder):
        print(f"{figure.name:<60} {pretty(figure.value):>10} {figure.unit:<6} {figure.note}")


if __name__ == "__main__":
    main()
