"""How well a report's anomalies agree with the ground truth of a simulated trace."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct

from actors.anomaly import KINDS

Subject: TypeAlias = tuple[Hashable, ...]
Record: TypeAlias = Mapping[str, Any]

EXAMPLES_MOST = 20


class KindScore(Struct, frozen=True, kw_only=True):
    """One kind: what had to be found, what was found, how much of it agrees, and in how many cases the ending too."""

    kind: str
    expected: int
    found: int
    matched: int
    resolutions: int

    @property
    def precision(self) -> float:
        """The share of the found ones that are true; 1 when none was found."""
        return self.matched / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of the true ones that were found; 1 when there is none."""
        return self.matched / self.expected if self.expected else 1.0


class Score(Struct, frozen=True, kw_only=True):
    """Every kind's score, and some subjects that disagree."""

    kinds: list[KindScore]
    missed: list[list[Hashable]]
    invented: list[list[Hashable]]

    @property
    def perfect(self) -> bool:
        """Nothing missed, nothing invented."""
        return all(k.matched == k.expected == k.found for k in self.kinds)

    def as_dict(self) -> dict[str, Any]:
        """The score as JSON data."""
        rows = [
            {
                "kind": k.kind,
                "expected": k.expected,
                "found": k.found,
                "matched": k.matched,
                "precision": round(k.precision, 6),
                "recall": round(k.recall, 6),
                "resolutions_agree": k.resolutions,
            }
            for k in self.kinds
        ]
        return {"kinds": rows, "perfect": self.perfect, "missed": self.missed, "invented": self.invented}

    def table(self) -> str:
        """The score as lines of text."""
        lines = [f"{'kind':<20}{'expected':>9}{'found':>9}{'precision':>11}{'recall':>9}{'endings':>9}"]
        for k in self.kinds:
            endings = k.resolutions / k.matched if k.matched else 1.0
            numbers = f"{k.expected:>9}{k.found:>9}{k.precision:>11.3f}{k.recall:>9.3f}{endings:>9.3f}"
            lines.append(f"{k.kind:<20}{numbers}")
        return "\n".join(lines)


def score(report: Record, truth: Record) -> Score:
    """Match the anomalies of a replay report (SPEC section 7, as JSON data) with those that the truth lists."""
    expected = _by_subject(truth["anomalies"], _expected_subject)
    found = _by_subject(report["anomalies"], _found_subject)
    kinds = (*KINDS, *sorted({str(s[0]) for s in (*expected, *found)} - set(KINDS)))
    scores: list[KindScore] = []
    missed: list[list[Hashable]] = []
    invented: list[list[Hashable]] = []
    totals: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    for subject in (*expected, *(s for s in found if s not in expected)):
        wanted, got = expected.get(subject, Counter()), found.get(subject, Counter())
        both = min(wanted.total(), got.total())
        totals[str(subject[0])].update(
            expected=wanted.total(), found=got.total(), matched=both, resolutions=(wanted & got).total()
        )
        missed += [list(subject)] * (wanted.total() - both)
        invented += [list(subject)] * (got.total() - both)
    scores = [
        KindScore(
            kind=kind,
            expected=counts["expected"],
            found=counts["found"],
            matched=counts["matched"],
            resolutions=counts["resolutions"],
        )
        for kind, counts in totals.items()
    ]
    return Score(kinds=scores, missed=missed[:EXAMPLES_MOST], invented=invented[:EXAMPLES_MOST])


def _by_subject(records: Iterable[Record], subject_of: Any) -> dict[Subject, Counter[str]]:
    """How often each subject ended in which way."""
    found: defaultdict[Subject, Counter[str]] = defaultdict(Counter)
    for record in records:
        found[subject_of(record)][record.get("resolution") or ""] += 1
    return found


def _expected_subject(record: Record) -> Subject:
    what: Hashable = record.get("message")
    if record.get("seq") is not None:
        what = record["seq"]
    elif record["kind"] == "out_of_sync":
        what = record.get("since")
    elif record["kind"] == "channel_silent":
        what = record["cause"]
    return (record["kind"], record["platform"], record["account"], record.get("conversation"), what)


def _found_subject(record: Record) -> Subject:
    evidence = record.get("evidence") or {}
    what: Hashable = record.get("message")
    if record["kind"] == "loss" and evidence.get("cause") == "gap":
        what = evidence.get("seq")
    elif record["kind"] == "out_of_sync":
        what = _milliseconds(record.get("since"))
    elif record["kind"] == "channel_silent":
        what = "silence" if "probability" in evidence else "auth"
    return (record["kind"], record["platform"], record["account"], record.get("conversation"), what)


def _milliseconds(time: object) -> object:
    if isinstance(time, str):
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    return time
