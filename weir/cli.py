"""The command line: `weir` and its commands, one file per group in weir/commands/."""

import typer

from weir.commands import audit, channels, connect, demo, doctor, emulate, serve, tokens, traces, users, web, worker
from weir.commands.console import Json, say, say_json
from weir.version import VERSION

app = typer.Typer(
    name="weir",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("web")(web.web)
app.command("connect")(connect.connect)
app.command("replay")(traces.replay)
app.command("simulate")(traces.simulate)
app.command("score")(traces.score)
app.command("emulate")(emulate.emulate)
app.command("audit")(audit.audit_ledger)
app.command("doctor")(doctor.doctor)
app.add_typer(users.app, name="user")
app.add_typer(tokens.app, name="token")
app.add_typer(channels.app, name="channel")


@app.callback(invoke_without_command=True)
def without_command(context: typer.Context) -> None:
    """Watches every customer message of a cross-border seller: late, lost, doubled, out of step."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@app.command()
def version(*, as_json: Json = False) -> None:
    """Show the version."""
    if as_json:
        say_json({"version": VERSION})
    else:
        say(f"weir {VERSION}")


def main() -> None:
    """Entry point of the program."""
    app(prog_name="weir")
