"""How well tracking numbers are recognised: against collections of numbers and of texts, and how fast.

`python -m benchmarks tracking --data FOLDER`, or `python -m benchmarks.tracking FOLDER/tracking_numbers`. There lie
`numbers.csv` (format, number, valid) and `in_text.jsonl` (text, expect: [{number, format}]): the numbers of
jkeen/tracking_number_data with others made by the published check digits, and texts around them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, json

from benchmarks.figures import Figure, rounds, seconds
from services.tracking import matching, plain, recognise

WANTED = 0.98
"""Precision and recall below this are a failure."""


class Expected(Struct):
    """A number in a text."""

    number: str
    format: str


class Case(Struct):
    """One text with what is in it."""

    text: str
    expect: list[Expected]
    form: str = ""
    lang: str = ""


class Tally(Struct):
    """Found and right, found and wrong, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    told: list[str] = []

    @property
    def precision(self) -> float:
        """Of what was found, what is right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of what is there, what was found."""
        return self.right / max(1, self.right + self.missed)

    def figures(self, name: str, note: str) -> list[Figure]:
        """Both shares."""
        return [
            Figure(name=f"{name}, precision", value=self.precision, unit="", note=note),
            Figure(name=f"{name}, recall", value=self.recall, unit="", note=""),
        ]


def numbers(folder: Path) -> Tally:
    """Whether each number is held to have the format it is listed with, or not to have it."""
    tally = Tally()
    with (folder / "numbers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            held = row["format"] in {match.format.id for match in matching(plain(row["number"]))}
            count(tally, there=row["valid"] == "1", found=held, what=f"{row['format']} {row['number']}")
    return tally


def texts(cases: Iterable[Case]) -> Tally:
    """Whether exactly the numbers that are in each text are found, with their format."""
    tally = Tally()
    for case in cases:
        found = {(one.number, form) for one in recognise(case.text) for form in one.formats}
        held = {number for number, _ in found}
        wanted = {expected.number for expected in case.expect}
        for expected in case.expect:
            there = (expected.number, expected.format) in found
            count(tally, there=True, found=there, what=f"{expected.format} {expected.number} in {case.text!r}")
        for number in held - wanted:
            count(tally, there=False, found=True, what=f"{number} in {case.text!r}")
    return tally


def count(tally: Tally, *, there: bool, found: bool, what: str) -> None:
    """One case; one that is wrong is named."""
    tally.right += there and found
    tally.wrong += found and not there
    tally.missed += there and not found
    if there != found:
        tally.told.append(f"{'missed' if there else 'false alarm'}: {what}")


def measure(folder: Path) -> list[Figure]:
    """Precision, recall, and texts a second."""
    if not (folder / "in_text.jsonl").exists():
        raise SystemExit(f"there is no {folder / 'in_text.jsonl'}: name the folder that has it")
    lines = (folder / "in_text.jsonl").read_bytes().splitlines()
    cases = [json.decode(line, type=Case) for line in lines if line.strip()]
    of_numbers, of_texts = numbers(folder), texts(cases)
    for told in (*of_numbers.told, *of_texts.told):
        print(told, file=sys.stderr)
    listed = of_numbers.right + of_numbers.missed
    rate, spread = rounds(lambda: len(cases) / seconds(lambda: texts(cases)))
    return [
        *of_numbers.figures("numbers against their format", f"{listed} that have it, and others that do not"),
        *of_texts.figures("numbers in texts, with their format", f"{len(cases)} texts in 12 languages"),
        Figure(name="texts looked through", value=rate, unit="texts/s", spread=spread),
    ]


def main(arguments: list[str]) -> int:
    """Print the figures; 1 when they are not good enough."""
    if len(arguments) != 1:
        print("name the folder with numbers.csv and in_text.jsonl", file=sys.stderr)
        return 2
    figures = measure(Path(arguments[0]))
    print("\n".join(figure.row() for figure in figures))
    return int(any(figure.value < WANTED for figure in figures if not figure.unit))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
