"""What all commands say to a terminal in the same way."""

from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Say on stderr what is wrong, and end with 2: the operator can mend it and try again."""
    typer.echo(message, err=True)
    raise typer.Exit(2)
