"""The command line: `weir` and its commands, one file per group in weir/commands/."""

import typer

from weir.commands import serve

app = typer.Typer(
    name="weir",
    help="Watches every customer message of a cross-border seller: late, lost, doubled, out of step.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve.serve)


@app.callback(invoke_without_command=True)
def without_command(context: typer.Context) -> None:
    """Watches every customer message of a cross-border seller: late, lost, doubled, out of step."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Entry point of the program."""
    app()
