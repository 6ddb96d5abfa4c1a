"""`jamguard config`: the settings of a project."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ..config import ConfigError, find_source, load
from ..guards import GUARDS
from .terminal import fail

app = typer.Typer(help="Look at the settings of a project.", no_args_is_help=True)


@app.callback()
def _commands() -> None:  # pyright: ignore[reportUnusedFunction] - with it, `show` is a command
    pass


@app.command()
def show(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the project.")
    ] = Path(),
) -> None:
    """Print every setting in order, its value, and where the value came from."""
    if not folder.is_dir():
        fail(f"{folder} is not a folder")
    try:
        settings, guards = load(find_source(None, folder), GUARDS, os.environ)
    except ConfigError as error:
        fail(str(error))
    on = [guard for guard in guards if guard.enabled]
    for line in settings.lines(on):
        typer.echo(line)
    for guard in guards:
        if not guard.enabled:
            typer.echo(f"left out: {guard.name} (enabled = false)")
