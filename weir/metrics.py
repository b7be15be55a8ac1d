"""Every figure Weir gives to Prometheus, in one list, each with what to do when it moves.

`python -m weir.metrics` prints docs/metrics.md; a test keeps the page current. Labels never hold an account's or a
customer's name.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Figure(Struct, frozen=True):
    """One figure: `kind` counter or gauge, the names of its labels, what it is, and what to do when it moves."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    action: str
    labels: tuple[str, ...] = ()


FIGURES: tuple[Figure, ...] = (
    Figure(
        "weir_ready",
        "gauge",
        "1 while events are taken in and the parts that process them are alive, else 0.",
        "At 0 ask /readyz: it lists the reasons as sentences.",
    ),
    Figure(
        "weir_events_accepted",
        "counter",
        "Events accepted over HTTP since the start.",
        "When it stops growing in trading hours look at the senders, then at weir_http_responses: 401, 413, 429.",
    ),
    Figure(
        "weir_events_rejected",
        "counter",
        "Events refused one by one since the start.",
        "When it grows, read the reasons in the senders' 202 answers: most likely a sender changed its format.",
    ),
    Figure(
        "weir_webhooks",
        "counter",
        "What platforms' webhooks told since the start: events accepted, rejected, handshakes, bad signatures.",
        "bad_signature: a secret was changed at the platform, or a stranger knocks. rejected: the ledger says of whom.",
        ("outcome",),
    ),
    Figure(
        "weir_replies",
        "counter",
        "What became of our replies since the start, by platform and state: sent, failed, unknown, queued again.",
        "failed: read the reasons in the outbox. unknown: look at the platform whether they are there, then say so.",
        ("platform", "state"),
    ),
    Figure(
        "weir_pointers",
        "counter",
        "Things that webhooks only named since the start: fetched, put off, given up.",
        "failed: what they named is lost until the next sweep. delayed: the platform does not answer, or not us.",
        ("outcome",),
    ),
    Figure(
        "weir_sweeps",
        "counter",
        "What comparing channels with their platforms found since the start: messages checked, new, edited, recalled.",
        "new: messages that no webhook told of; look at the channel's webhook. failed: a channel could not be asked.",
        ("outcome",),
    ),
    Figure(
        "weir_attachments",
        "counter",
        "Attempts to fetch customers' files since the start: ok, known (there before), delayed, or what was wrong.",
        "failed or expired in numbers: a platform's files cannot be had; look at the channel and at its authorisation.",
        ("outcome",),
    ),
    Figure(
        "weir_mails",
        "counter",
        "Mails read since the start, and attempts to read a mailbox that failed.",
        "failed: Settings, Channels says what the mail server answers.",
        ("outcome",),
    ),
    Figure(
        "weir_queues",
        "counter",
        "Things drawn from platforms' queues since the start, and attempts to draw that failed.",
        "failed: look for `queue_cannot_be_read` in the log; Settings, Channels says how the channel stands.",
        ("outcome",),
    ),
    Figure(
        "weir_authorisations",
        "counter",
        "Authorisations renewed, looked at, denied or out of reach since the start.",
        "not_renewed or denied: somebody must authorise the channel anew. unreachable: the platform does not answer.",
        ("outcome",),
    ),
    Figure(
        "weir_inbox_desk",
        "counter",
        "People and rules after the same conversation: conflict (somebody was faster), reassigned_soon (within 10 s).",
        "reassigned_soon: rules and people pull at the same conversations; look at who assigns them in the audit log.",
        ("outcome",),
    ),
    Figure(
        "weir_http_responses",
        "counter",
        "HTTP responses by status code.",
        "5xx: look for `request failed` in the log. 429: events come faster than the disk takes. 401: a token ended.",
        ("code",),
    ),
    Figure(
        "weir_gateway_waiting_events",
        "gauge",
        "Events received that are not yet durable.",
        "When it stays high the disk is slow: look at its latency; senders will get 429.",
    ),
    Figure(
        "weir_clock_jump_seconds",
        "gauge",
        "By how much the machine's clock was set back while Weir went on.",
        "Above 1 mend the machine's time service; delays are measured against this clock.",
    ),
    Figure(
        "weir_log_lag_records",
        "gauge",
        "Log records of a partition that wait to be applied.",
        "When it only grows, one partition is overloaded or stuck: see weir_oldest_unprocessed_seconds and the log.",
        ("partition",),
    ),
    Figure(
        "weir_oldest_unprocessed_seconds",
        "gauge",
        "Age of the oldest accepted record that is not processed; 0 when none waits.",
        "Above 30 look for errors of the engine or the database in the log; above 120 the monitor raises an alarm.",
    ),
    Figure(
        "weir_unsaved_events",
        "gauge",
        "Events applied and not yet saved.",
        "When it stays near 40,000 the database is slow or refuses writes: look at disk space and `saving` in the log.",
    ),
    Figure(
        "weir_events_processed",
        "counter",
        "Events applied and saved since the start.",
        "When it stands still while weir_events_accepted grows, processing has stopped: see /readyz and the monitor.",
    ),
    Figure(
        "weir_event_loop_lag_seconds",
        "gauge",
        "How long the event loop took to answer the watchdog.",
        "Above 0.1 something blocks the loop; above 2 the log has the place where it hangs.",
    ),
    Figure(
        "weir_part_alive",
        "gauge",
        "1 while a part of Weir gives signs of life, else 0.",
        "At 0 look for that part's last error in the log and restart Weir: nothing accepted is lost by it.",
        ("part",),
    ),
    Figure(
        "weir_channels_bound",
        "gauge",
        "Channels ever heard of.",
        "It grows when a channel is bound; a sudden jump means a sender invents account names.",
    ),
    Figure(
        "weir_channels_checked",
        "gauge",
        "Channels whose health was looked at in the last check.",
        "Below weir_channels_bound some channel is not watched: see /readyz.",
    ),
    Figure(
        "weir_anomalies_unresolved",
        "gauge",
        "Anomalies that are open or acknowledged.",
        "When it grows open the monitor: it groups them into incidents and says what to do.",
        ("kind", "severity"),
    ),
    Figure(
        "weir_sla_conversations",
        "gauge",
        "Conversations with a running response clock, by state.",
        "When `at_risk` grows add people or reassign; `breached` is a promise broken.",
        ("state",),
    ),
    Figure(
        "weir_ledger_events",
        "gauge",
        "The ledger since ever: accepted, stored, duplicates, rejected.",
        "When `rejected` or `duplicates` grow faster than usual look at their channels in the monitor.",
        ("outcome",),
    ),
    Figure(
        "weir_ledger_imbalance",
        "gauge",
        "accepted - stored - duplicates - rejected; always 0.",
        "Any other value is a fault of Weir: run `weir audit` and report what it says.",
    ),
    Figure(
        "weir_disk_free_bytes",
        "gauge",
        "Free space on the disk of the data folder.",
        "Below a few GiB free some: with a full disk Weir refuses events (503) until there is space.",
    ),
    Figure(
        "weir_process",
        "gauge",
        "1, with the role and the version of this process.",
        "During an upgrade two versions show; afterwards one.",
        ("role", "version"),
    ),
    Figure(
        "weir_processes",
        "gauge",
        "Processes of this deployment that gave a sign of life in the last seconds, by role; told by `weir web`.",
        "Fewer than you started: look for the last log line of the missing one; status 70 means it ended itself.",
        ("role",),
    ),
    Figure(
        "weir_processes_in_trouble",
        "gauge",
        "Processes of this deployment that say something is wrong with them; told by `weir web`.",
        "Above 0 run `weir doctor`: it names them with what they say.",
    ),
    Figure(
        "weir_partitions_forsaken",
        "gauge",
        "Partitions no living worker has looked after for 10 s; told by `weir web`.",
        "Above 0 start workers, or look in their logs why the partitions are not loaded.",
    ),
    Figure(
        "weir_watermark_behind_seconds",
        "gauge",
        "How far the time of a partition of this worker is behind the clock.",
        "A few tenths are normal. When it grows the partition has a backlog, or its broker is not heard: see the log.",
        ("partition",),
    ),
    Figure(
        "weir_saves",
        "counter",
        "Batches this worker's persister has saved.",
        "When it stands still while weir_log_lag_records grows, the database refuses writes: see the log.",
    ),
    Figure(
        "weir_partitions",
        "gauge",
        "Partitions this worker was given: loaded, or waiting for the database to give their states.",
        "All workers together have every partition loaded; `loading` for long: look at the database.",
        ("state",),
    ),
    Figure(
        "weir_rebalances",
        "counter",
        "How often the partitions were dealt out anew among the workers.",
        "It grows when workers come and go. Otherwise one misses its heartbeats: look at its load and at the network.",
    ),
    Figure(
        "weir_thresholds_version",
        "gauge",
        "The version of the thresholds in force in this process.",
        "All processes show the same within a second of a change; one that stays behind cannot read the database.",
    ),
    Figure(
        "weir_live_bus_up",
        "gauge",
        "1 while the live bus works.",
        "At 0 screens read anew every few seconds and say so; look at Redis. No message is lost by it.",
    ),
    Figure(
        "weir_live_bus_lost",
        "counter",
        "Notes for the screens that could not be published.",
        "It grows while Redis is away; the screens read what they missed from the database.",
    ),
)
BY_NAME = {figure.name: figure for figure in FIGURES}


class Metrics(Collector):
    """Holds the latest values; a name that is not in FIGURES is a KeyError."""

    def __init__(self) -> None:
        self._values: dict[str, dict[tuple[str, ...], float]] = {figure.name: {} for figure in FIGURES}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def count(self, name: str, by: float = 1, *labels: str) -> None:
        """Add to a counter."""
        values = self._values[name]
        values[labels] = values.get(labels, 0) + by

    def set(self, name: str, value: float, *labels: str) -> None:
        """Put down a value."""
        self._values[name][labels] = value

    def replace(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Put down all values of a figure at once: labels not named any more disappear."""
        self._values[name] = dict(values)

    def collect(self) -> Iterable[Metric]:
        """What Prometheus' library asks for."""
        for figure in FIGURES:
            make = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            family = make(figure.name, f"{figure.help} {figure.action}", labels=figure.labels)
            for labels, value in sorted(self._values[figure.name].items()):
                family.add_metric(labels, value)
            yield family

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


def page() -> str:
    """The text of docs/metrics.md."""
    rows = [
        f"| `{name_of(figure)}` | {', '.join(figure.labels) or '-'} | {figure.help} | {figure.action} |"
        for figure in FIGURES
    ]
    return "\n".join(
        [
            "# Metrics",
            "",
            "`GET /metrics` gives these in Prometheus' text format, besides the usual `process_…` and `python_…` ones.",
            "Labels never hold an account's or a customer's name. This page is made by `python -m weir.metrics`.",
            "",
            "| figure | labels | what it is | when it moves |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def name_of(figure: Figure) -> str:
    """The name as Prometheus sees it."""
    return f"{figure.name}_total" if figure.kind == "counter" else figure.name


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 # this is a program that prints
