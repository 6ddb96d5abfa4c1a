"""What all commands say to a terminal in the same way."""

import json
from collections.abc import Sequence
from math import ceil
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table


def fail(message: str) -> NoReturn:
    """Say on stderr what is wrong, and end with 2: the operator can mend it and try again."""
    typer.echo(message, err=True)
    raise typer.Exit(2)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below the names of their columns."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(visible, row))
    Console(highlight=False, markup=False, emoji=False).print(table)


def show_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON has
    """Print what a program is to read."""
    typer.echo(json.dumps(value, indent=2))


def visible(text: str) -> str:
    """Return a text, which a stranger may have written, with nothing that a terminal obeys."""
    return text if text.isprintable() else ascii(text)


def in_words(seconds: float) -> str:
    """Say how long a time is, not more precisely than one wants to know."""
    whole = ceil(seconds)
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if whole >= 2 * size:
            return f"{round(whole / size)} {unit}"
    return f"{whole} s"
