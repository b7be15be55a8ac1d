"""`weir replay`, `weir simulate`, `weir score`: traces without a running Weir."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from actors.errors import ConfigurationError
from actors.thresholds import ThresholdSet, parse_assignment
from weir.commands.console import EXIT_FAILED, Json, progress, say, say_json, say_table, told_plainly
from weir.policies import policies_of

Report = dict[str, Any]
ALMOST = 99


@told_plainly
def replay(
    file: Annotated[str, typer.Argument(help="Trace: NDJSON, also .gz or .zst; - for standard input.", metavar="FILE")],
    *,
    report: Annotated[
        str | None, typer.Option("--report", help="Write the report here; - for standard output.", metavar="OUT.json")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Threshold: name=value, platform:name=value or platform/account:name=value."),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", help="SLA policies: a JSON or TOML file, or `presets` for the platforms' own."),
    ] = None,
    partitions: Annotated[int, typer.Option(min=1, max=256, help="Partitions; changes nothing in the report.")] = 1,
    as_json: Json = False,
) -> None:
    """Run a trace through the same processing in virtual time, touching no database."""
    from streams.replay import ReplayOptions, replayed  # noqa: PLC0415 # only traces need it
    from streams.report import report_chunks  # noqa: PLC0415 # as above

    policies = tuple(policy for name in policy or () for policy in policies_of(name))
    options = ReplayOptions(thresholds=_thresholds(changes or []), policies=policies, partitions=partitions)
    to_screen = as_json or report == "-"
    with progress("replaying") as show, ExitStack() as stack:
        size = Path(file).stat().st_size if file != "-" and Path(file).is_file() else 0

        def moved(done: int, lines: int) -> None:
            show(min(ALMOST, 100 * done // size if size else 0), f"{lines:,} lines")

        result = dict(stack.enter_context(replayed(file, options, moved)))
        kinds: dict[tuple[str, str], int] = {}
        result["anomalies"] = _counted(result["anomalies"], kinds)
        target = stack.enter_context(Path(report).open("wb")) if report and report != "-" else None
        for chunk in report_chunks(result):
            if target:
                target.write(chunk)
            if to_screen:
                typer.echo(chunk, nl=False)
    if not to_screen:
        _summarise(result, kinds, report)


@told_plainly
def simulate(
    *,
    messages: Annotated[int, typer.Option(help="Messages the platforms send.")] = 10_000,
    conversations: Annotated[int | None, typer.Option(help="Conversations; without: one for eight messages.")] = None,
    profile: Annotated[str, typer.Option(help="Curve of arrivals: steady, diurnal, flash-sale.")] = "flash-sale",
    faults: Annotated[
        str | None, typer.Option(help="Troubles to inject: kind=rate,…; none for none.", metavar="KIND=RATE,…")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same trace.")] = 1,
    out: Annotated[str, typer.Option("--out", "-o", help="Where the trace goes.", metavar="FILE")] = "trace.ndjson",
    truth: Annotated[
        str | None, typer.Option(help="Where the ground truth goes; without: beside the trace.", metavar="FILE")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the trace of a simulated sale, with the ground truth beside it."""
    from msgspec import to_builtins  # noqa: PLC0415 # only this command needs it

    from loadtest.options import SimulationOptions, parse_faults  # noqa: PLC0415 # only simulations need it
    from loadtest.simulator import write_trace  # noqa: PLC0415 # as above

    given: dict[str, Any] = {} if faults is None else {"faults": parse_faults(faults)}
    options = SimulationOptions(
        messages=messages,
        conversations=conversations,
        profile=profile,  # pyright: ignore[reportArgumentType] # checked by the options themselves
        seed=seed,
        **given,
    )
    target = Path(out)
    truths = Path(truth) if truth else target.with_suffix(".truth.json")
    with progress("simulating") as show:
        summary = write_trace(options, target, truths, lambda n: show(min(100, 100 * n // messages), f"{n:,} messages"))
    if as_json:
        say_json({"trace": str(target), "truth": str(truths), **to_builtins(summary)})
        return
    say(f"{summary.events:,} events with {summary.messages:,} messages in {target}")
    say(f"{sum(summary.anomalies.values()):,} anomalies to find in {truths}")
    say_table(("kind", "expected"), list(summary.anomalies.items()))
    say(f"next: weir replay {target} --report report.json && weir score report.json {truths}")


@told_plainly
def score(
    report: Annotated[str, typer.Argument(help="Report of `weir replay`.", metavar="REPORT.json")],
    truth: Annotated[str, typer.Argument(help="Ground truth of `weir simulate`.", metavar="TRUTH.json")],
    *,
    least: Annotated[
        float, typer.Option(help="Exit code 1 when a kind's precision or recall is below this.", min=0, max=1)
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """How well a report's anomalies agree with the ground truth."""
    from loadtest.score import score as scored  # noqa: PLC0415 # only this command needs it

    result = scored(_json_file(report, "anomalies"), _json_file(truth, "anomalies"))
    if as_json:
        say_json(result.as_dict())
    else:
        say(result.table())
        for label, subjects in (("missed", result.missed), ("invented", result.invented)):
            for subject in subjects:
                say(f"{label}: {' '.join(map(str, subject))}")
    if any(kind.precision < least or kind.recall < least for kind in result.kinds):
        raise typer.Exit(EXIT_FAILED)


def _thresholds(changes: list[str]) -> ThresholdSet:
    settings = ThresholdSet()
    for change in changes:
        settings = settings.changed(*parse_assignment(change))
    return settings


def _json_file(name: str, needed: str | None) -> Any:
    """The JSON value in a file. Raises ConfigurationError."""
    import msgspec  # noqa: PLC0415 # only who reads files needs it

    try:
        value = msgspec.json.decode(Path(name).read_bytes())
    except OSError as wrong:
        raise ConfigurationError(f"{name} cannot be read: {wrong.strerror}") from wrong
    except msgspec.DecodeError as wrong:
        raise ConfigurationError(f"{name} is no JSON: {wrong}") from wrong
    if needed and (not isinstance(value, dict) or not isinstance(value.get(needed), list)):
        raise ConfigurationError(f"{name} has no list `{needed}`; is it the right file?")
    return value


def _counted(anomalies: Iterable[Report], kinds: dict[tuple[str, str], int]) -> Iterator[Report]:
    """The anomalies as they are, counted by kind and status while they pass: there may be more than fit in memory."""
    for anomaly in anomalies:
        place = (anomaly["kind"], anomaly["status"])
        kinds[place] = kinds.get(place, 0) + 1
        yield anomaly


def _summarise(result: Report, kinds: dict[tuple[str, str], int], written: str | None) -> None:
    ledger = result["ledger"]
    say(f"{result['events']:,} events, {result['messages']:,} messages, {result['duplicates']:,} duplicates")
    parts = ", ".join(f"{ledger[name]:,} {name}" for name in ("accepted", "stored", "duplicates", "rejected"))
    say(f"ledger: {parts}")
    say_table(("anomaly", "status", "count"), [(*place, count) for place, count in sorted(kinds.items())])
    for refused in result["rejected"][:10]:
        say(f"line {refused['line']} rejected: {refused['error']}")
    if written:
        say(f"report: {written}")
