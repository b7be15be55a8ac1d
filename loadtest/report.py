"""The report of a load test: Markdown for terminals and pull requests, HTML for browsers, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import msgspec

from loadtest.delays import Quantiles
from loadtest.outcome import Outcome
from loadtest.peak import PEAK_DAY

NAMES = ("report.md", "report.html", "report.json")
Row = Sequence[object]
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1c2430}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem .2rem 0;text-align:right;"
    "border-bottom:1px solid #dde3ea}td:first-child,th:first-child{text-align:left}h1{font-size:1.5rem}"
    "h2{font-size:1.1rem;margin:1.5rem 0 0}.passed{color:#0a7a3d}.failed{color:#b3261e}"
)


def write(outcome: Outcome, folder: Path) -> Path:
    """Write the three files into a folder, made when absent; the page's path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, page, data = (folder / name for name in NAMES)
    markdown.write_text(as_markdown(outcome), encoding="utf-8")
    page.write_text(as_html(outcome), encoding="utf-8")
    data.write_bytes(msgspec.json.format(msgspec.json.encode(outcome), indent=1) + b"\n")
    return page


def as_markdown(outcome: Outcome) -> str:
    """The report as text."""
    parts = [f"# Load test: {verdict(outcome)}\n", *(f"- {problem}" for problem in outcome.problems)]
    for title, header, rows in tables(outcome):
        lines = [_line(header), _line(["---"] * len(header)), *map(_line, rows)]
        parts.append(f"\n## {title}\n\n" + "\n".join(lines))
    return "\n".join(parts) + "\n"


def as_html(outcome: Outcome) -> str:
    """The report as one page that needs nothing else."""
    tone = "passed" if outcome.passed else "failed"
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in outcome.problems)
    parts = [f'<h1>Load test: <span class="{tone}">{verdict(outcome)}</span></h1><ul>{problems}</ul>']
    for title, header, rows in tables(outcome):
        head = "".join(f"<th>{escape(str(cell))}</th>" for cell in header)
        body = "".join("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
        parts.append(f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Load test {escape(outcome.mark)}</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def verdict(outcome: Outcome) -> str:
    """Passed or failed, in a word."""
    return "passed" if outcome.passed else "FAILED"


def tables(outcome: Outcome) -> Iterable[tuple[str, Row, list[Row]]]:
    """Every table: its title, its header, its rows."""
    yield "Accepted = stored + duplicates + rejected", ("", "events"), _balance_rows(outcome)
    yield (
        "Delays (ms)",
        ("", "n", "p50", "p95", "p99", "largest"),
        [
            _delay("202 after the request", outcome.answer),
            _delay("readable over the API after the 202", outcome.readable),
            _delay("counted on the monitor after the 202", outcome.shown),
        ],
    )
    if outcome.score is not None:
        yield (
            f"Anomalies found against injected ({outcome.too_close} delays too close to the threshold left out)",
            ("kind", "injected", "found", "agree", "precision", "recall"),
            [
                (k["kind"], k["expected"], k["found"], k["matched"], k["precision"], k["recall"])
                for k in outcome.score["kinds"]
            ],
        )
    yield "Load", ("", ""), _load_rows(outcome)
    yield "The server", ("", ""), _used_rows(outcome)
    if outcome.requests:
        rows: list[Row] = [(r.name, f"{r.count:,}", r.failures, r.p50_ms, r.p99_ms) for r in outcome.requests]
        yield "Requests", ("name", "requests", "failures", "p50 ms", "p99 ms"), rows


def _balance_rows(outcome: Outcome) -> list[Row]:
    b = outcome.balance
    return [
        ("answered as accepted", f"{b.told_accepted:,}"),
        ("answered as rejected", f"{b.told_rejected:,}"),
        ("sent without an answer (each was sent again)", f"{b.unsure:,}"),
        ("in the ledger: accepted, the rejected included", f"{b.accepted:,}"),
        ("of them stored", f"{b.stored:,}"),
        ("of them duplicates", f"{b.duplicates:,}"),
        ("of them rejected", f"{b.rejected:,}"),
        ("the balance", "holds" if b.holds else "DOES NOT HOLD"),
    ]


def _load_rows(outcome: Outcome) -> list[Row]:
    load, options = outcome.load, outcome.options
    normal = options.normal
    return [
        ("length of the sale", f"{options.seconds:g} s wanted, {load.took_s} s taken; {options.shops} shops"),
        ("a normal day", f"{normal:,.0f} events/s"),
        ("sent in all", f"{load.events:,} events in {load.posts:,} requests"),
        ("mean", f"{load.mean:,.0f} events/s ({load.mean / normal:.1f} x normal)"),
        ("wanted at most", f"{options.peak:,.0f} events/s ({max(PEAK_DAY):.1f} x normal)"),
        ("busiest second", f"{load.busiest:,} events/s ({load.busiest_over_normal} x normal)"),
        ("due, but held back by slower channels", f"{load.stood_s:g} s"),
        ("refused for now (429, 503) and sent again", f"{load.refused:,} requests"),
        ("without an answer and sent again", f"{load.retried:,} requests"),
    ]


def _used_rows(outcome: Outcome) -> list[Row]:
    used = outcome.used
    rows: list[Row] = [("worked on after the last answer", f"{outcome.settled_s:g} s")]
    if used:
        cores = [u.cores for u in used]
        memory = [u.memory_mib for u in used]
        own = [u.generator for u in used]
        rows += [
            ("cores busy, mean", f"{sum(cores) / len(cores):.2f}"),
            ("cores busy, most in a second", f"{max(cores):.2f}"),
            ("cores the load test itself kept busy: mean, most", f"{sum(own) / len(own):.2f}, {max(own):.2f}"),
            ("memory at the start", f"{memory[0]:,.0f} MiB"),
            ("memory at most", f"{max(memory):,.0f} MiB"),
        ]
    return rows


def _delay(name: str, q: Quantiles) -> Row:
    return (name, f"{q.count:,}", *("-" if v is None else f"{v:,.1f}" for v in (q.p50, q.p95, q.p99, q.most)))


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"
