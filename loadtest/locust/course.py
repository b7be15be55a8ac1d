"""Locust's side of a run: its options, the load over time, the beginning and the end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import gevent
import httpx
from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from actors.errors import ConfigurationError
from loadtest.deployment import Deployment
from loadtest.load import LoadOptions
from loadtest.locust.run import Run
from loadtest.outcome import Request
from loadtest.report import as_html, as_markdown, write

TICK_S = 1.0
SENDERS_LEAST = 4
NUMBERS = tuple(LoadOptions.__struct_fields__)
STOP_S = 60
"""A user that is stopped ends what it has begun: a request cut off would leave its outcome unknown."""
SCREENS = ("AgentUser", "OperatorUser")
PROGRESS_S = 5.0


class Course:
    """What belongs to one Locust environment."""

    deployment: Deployment
    out: Path
    screens: bool
    run: Run | None = None
    page: str = "no load test has ended yet"


_courses: dict[int, Course] = {}


def course_of(environment: Environment) -> Course:
    """The course of this environment."""
    return _courses.setdefault(id(environment), Course())


def run_of(environment: Environment) -> Run:
    """The run that is on. To be asked for when a user starts."""
    run = course_of(environment).run
    if run is None:
        raise ConfigurationError("no load test has been started")
    return run


class SaleShape(LoadTestShape):
    """As many senders as the sale's curve needs now, the screens from the start to the end."""

    fixed: ClassVar[int] = 0

    def tick(self) -> tuple[int, float] | None:
        """(users, users started a second), or None when everything is sent."""
        assert self.runner is not None  # noqa: S101 # Locust sets it before the first tick
        run = run_if_any(self.runner.environment)
        if run is None:
            return (1, 100.0)
        if run.finished:
            return None
        elapsed, options = run.sale.feed.elapsed_s, run.options
        share = options.curve.highest(elapsed, elapsed + 2 * TICK_S) / options.peak
        if elapsed >= options.seconds:
            share = 1.0
        senders = max(SENDERS_LEAST, round(options.senders * share))
        return (senders + self.fixed, 100.0)


def run_if_any(environment: Environment) -> Run | None:
    """The run that is on, if any."""
    return course_of(environment).run


@events.init_command_line_parser.add_listener
def _options(parser: LocustArgumentParser, **_: Any) -> None:
    for name, default in zip(NUMBERS, LoadOptions.__struct_defaults__, strict=True):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--token-file", required=True, help="File with the API token.", include_in_web_ui=False)
    parser.add_argument("--out", default="loadtest-report", help="Folder of the report.", include_in_web_ui=False)


@events.init.add_listener
def _init(environment: Environment, **_: Any) -> None:
    parsed = environment.parsed_options
    assert parsed is not None  # noqa: S101 # Locust's main has parsed them
    course = course_of(environment)
    try:
        token = Path(parsed.token_file).read_text("utf-8").strip()
        course.deployment = Deployment(parsed.host, token)
        course.screens = "manage_users" in course.deployment.permissions()
    except (ConfigurationError, httpx.HTTPError, OSError) as wrong:
        sys.exit(f"load test: {wrong}")
    course.out = Path(parsed.out)
    environment.stop_timeout = STOP_S
    counts = {"BatchUser": 1, "AgentUser": parsed.agents, "OperatorUser": parsed.operators}
    if not course.screens:
        counts |= dict.fromkeys(SCREENS, 0)
    environment.user_classes = [c for c in environment.user_classes if counts.get(c.__name__, 1)]
    for user in environment.user_classes:
        user.fixed_count = counts.get(user.__name__, 0)
    SaleShape.fixed = sum(counts.values())
    if environment.web_ui is not None:
        _serve_report(environment)


@events.test_start.add_listener
def _start(environment: Environment, **_: Any) -> None:
    course = course_of(environment)
    runner, parsed = environment.runner, environment.parsed_options
    assert runner is not None and parsed is not None  # noqa: S101, PT018 # it starts the test
    environment.process_exit_code = 1
    options = LoadOptions(**{name: getattr(parsed, name) for name in NUMBERS})
    run = Run(options, course.deployment, runner.quit if parsed.headless else runner.stop)
    try:
        run.start(screens=course.screens)
    except httpx.HTTPError as wrong:
        sys.exit(f"load test: {course.deployment.host} cannot be prepared: {wrong}")
    course.run = run
    gevent.spawn(_tell, run)


@events.test_stop.add_listener
def _stop(environment: Environment, **_: Any) -> None:
    course = course_of(environment)
    if course.run is None:
        return
    run, course.run = course.run, None
    say("sent; waiting for the product to finish its work")
    outcome = run.finish()
    outcome.requests = [
        Request(
            name=f"{entry.method} {entry.name}",
            count=entry.num_requests,
            failures=entry.num_failures,
            p50_ms=entry.get_response_time_percentile(0.5),
            p99_ms=entry.get_response_time_percentile(0.99),
        )
        for entry in sorted(environment.stats.entries.values(), key=lambda e: (e.method, e.name))
    ]
    course.page = as_html(outcome)
    page = write(outcome, course.out)
    say(as_markdown(outcome))
    say(f"report: {page}")
    environment.process_exit_code = 0 if outcome.passed else 1


def _serve_report(environment: Environment) -> None:
    """Put the last report into Locust's own web interface."""
    web = environment.web_ui
    assert web is not None and web.app is not None  # noqa: S101, PT018 # the caller has looked

    @web.app.route("/weir-report")
    def report() -> str:
        return course_of(environment).page


def _tell(run: Run) -> None:
    """Say now and then how far it is."""
    while not run.finished:
        feed, tally = run.sale.feed, run.tally
        part = f"{feed.elapsed_s:4.0f} s of {run.options.seconds:g}"
        say(f"{part}: {tally.events:,} events in {tally.posts:,} requests, {tally.refused} refused")
        gevent.sleep(PROGRESS_S)


def say(text: str) -> None:
    """Tell whoever runs it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
