"""All commands, one file each."""

from typing import Annotated

import typer

from .. import __version__
from . import bans, check, config, demo, login, probe

app = typer.Typer(
    help="jamguard makes a Jam.py application safe to put on a network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(config.app, name="config")
app.add_typer(bans.app, name="bans")
app.add_typer(login.app, name="login")
app.command("check")(check.check)
app.command("demo")(demo.demo)
app.command("probe")(probe.ask)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jamguard {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that come before a command."""
