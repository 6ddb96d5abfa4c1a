"""`jamguard login`: who is locked out of a running site."""

from math import ceil
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from ..lockouts import locked, unlock
from .store import Folder, Json, open_running
from .terminal import fail, in_words, show_json, show_table, visible

app = typer.Typer(
    help="See who is locked out of a running site, and let them in.", no_args_is_help=True
)


@app.command("locked")
def show(folder: Folder = Path(), json: Json = False) -> None:
    """Print who may not log in for now: names, and where they were tried from."""
    found = locked(open_running(folder).store, monotonic())
    if json:
        show_json(
            [
                {
                    "at": one.place,
                    "name": one.name,
                    "network": one.network,
                    "seconds": ceil(one.left),
                    "times": one.times,
                }
                for one in found
            ]
        )
    elif found:
        rows = [
            (one.place, one.name or "all", one.network or "all", in_words(one.left), str(one.times))
            for one in found
        ]
        show_table(("at", "name", "network", "still for", "times"), rows)
    else:
        typer.echo("Nobody is locked out.")


@app.command("unlock")
def let_in(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A login name, or a network that is locked.")
    ],
    folder: Folder = Path(),
) -> None:
    """Let a name log in again from everywhere, at once and on all workers."""
    if not unlock(open_running(folder).store, name):
        fail(f"{visible(name)} is not locked out")
    typer.echo(f"{visible(name)} may log in again.")
